/** CVMFS on this node: who mounts repositories, and who uses them. */
@NullMarked
package io.lamina.node.cvmfs;

import org.jspecify.annotations.NullMarked;
