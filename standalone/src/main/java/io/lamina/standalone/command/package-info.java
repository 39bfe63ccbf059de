/** What people type: arguments in, text or JSON and an exit code out. */
@NullMarked
package io.lamina.standalone.command;

import org.jspecify.annotations.NullMarked;
