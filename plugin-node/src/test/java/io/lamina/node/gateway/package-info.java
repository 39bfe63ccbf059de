@NullMarked
package io.lamina.node.gateway;

import org.jspecify.annotations.NullMarked;
