/** A CVMFS repository that lies in an object store: creation, objects, transactions. */
@NullMarked
package io.lamina.repository;

import org.jspecify.annotations.NullMarked;
