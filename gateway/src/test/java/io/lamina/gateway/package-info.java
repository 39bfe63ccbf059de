@org.jspecify.annotations.NullMarked
package io.lamina.gateway;
