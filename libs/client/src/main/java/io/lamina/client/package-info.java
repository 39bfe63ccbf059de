/**
 * The embedded CVMFS client: mounts repositories, lazily, verified and cached; knows nothing of
 * containers.
 */
@NullMarked
package io.lamina.client;

import org.jspecify.annotations.NullMarked;
