@NullMarked
package io.lamina.node.events;

import org.jspecify.annotations.NullMarked;
