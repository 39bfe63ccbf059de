/**
 * Measures what conversion and publication take, stage by stage, against what others would take.
 */
@NullMarked
package io.lamina.standalone.bench;

import org.jspecify.annotations.NullMarked;
