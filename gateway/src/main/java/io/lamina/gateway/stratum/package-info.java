/** The repositories' files, served as a stratum 0. */
@NullMarked
package io.lamina.gateway.stratum;

import org.jspecify.annotations.NullMarked;
