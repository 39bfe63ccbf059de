@NullMarked
package io.lamina.repository;

import org.jspecify.annotations.NullMarked;
