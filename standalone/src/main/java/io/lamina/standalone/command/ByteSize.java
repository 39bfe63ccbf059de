package io.lamina.standalone.command;

import java.math.BigDecimal;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Sizes as people type them: {@code 500m}, {@code 10g}, {@code 1.5GB}, {@code 64MiB}. */
final class ByteSize implements ITypeConverter<Long> {
  private static final Pattern FORM =
      Pattern.compile("([0-9]{1,12}(?:\\.[0-9]{1,6})?)([kmgt]?)(b|ib)?");
  private static final String UNITS = "kmgt";

  @Override
  public Long convert(String text) {
    Matcher form = FORM.matcher(text.toLowerCase(Locale.ROOT));
    if (!form.matches()) {
      throw new TypeConversionException(
          "'" + text + "' is not a size; give a number and a unit, such as 500m or 10g");
    }
    boolean isBinary = "ib".equals(form.group(3));
    int steps = form.group(2).isEmpty() ? 0 : UNITS.indexOf(form.group(2)) + 1;
    BigDecimal bytes =
        new BigDecimal(form.group(1))
            .multiply(BigDecimal.valueOf(isBinary ? 1024 : 1000).pow(steps));
    if (bytes.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) > 0) {
      throw new TypeConversionException("'" + text + "' is more than any machine holds");
    }
    return bytes.longValue();
  }
}
