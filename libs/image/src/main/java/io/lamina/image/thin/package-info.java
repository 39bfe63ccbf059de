/** Thin images: ordinary images whose one layer says where on CVMFS the files are. */
@NullMarked
package io.lamina.image.thin;

import org.jspecify.annotations.NullMarked;
