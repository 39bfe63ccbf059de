@NullMarked
package io.lamina.standalone.command;

import org.jspecify.annotations.NullMarked;
