@NullMarked
package io.lamina.repository.releasemanager;

import org.jspecify.annotations.NullMarked;
