/** File catalogs: SQLite databases that describe a directory tree and name its objects. */
@NullMarked
package io.lamina.cvmfs.catalog;

import org.jspecify.annotations.NullMarked;
