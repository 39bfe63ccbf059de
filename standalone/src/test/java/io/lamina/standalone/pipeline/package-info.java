/** The whole pipeline under test, with real registries, storages and processes. */
@NullMarked
package io.lamina.standalone.pipeline;

import org.jspecify.annotations.NullMarked;
