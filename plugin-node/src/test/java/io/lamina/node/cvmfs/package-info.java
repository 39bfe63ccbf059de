@NullMarked
package io.lamina.node.cvmfs;

import org.jspecify.annotations.NullMarked;
