/** The queue's work: layers, merged trees and thin images, and what becomes of their failures. */
@NullMarked
package io.lamina.converter.work;

import org.jspecify.annotations.NullMarked;
