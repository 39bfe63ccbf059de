package io.lamina.standalone;

import io.lamina.converter.ConverterSettings;
import io.lamina.converter.layer.PipelineSettings;
import io.lamina.image.layer.LayerLimits;
import io.lamina.image.source.LocalAccess;
import io.lamina.settings.Settings;
import java.nio.file.Path;
import java.util.Map;

/**
 * Images, and how they are converted, for a command that converts without the pipeline.
 * Thread-safe; close it.
 *
 * @param maxEntries of a merged image
 */
public record ConversionAccess(
    ImageAccess images, PipelineSettings pipeline, LayerLimits limits, int maxEntries)
    implements AutoCloseable {

  /**
   * As converters with this settings file: their rules for images and addresses, their compression,
   * their limits; credentials as Docker's command finds them.
   *
   * @throws io.lamina.settings.SettingsException if the file cannot be used
   */
  public static ConversionAccess ofSettings(Path settingsFile, Map<String, String> environment) {
    Settings text = Settings.read(settingsFile, environment);
    ConverterSettings settings = ConverterSettings.from(text);
    ImageAccess images =
        new ImageAccess(
            ProcessSettings.registries(text, environment),
            LocalAccess.EVERYWHERE,
            settings.admission().policy(),
            ProcessSettings.signatures(text));
    return of(images, settings);
  }

  /** As the person who runs this process may, and as converters do without settings. */
  public static ConversionAccess asThisUser(Map<String, String> environment) {
    return of(ImageAccess.asThisUser(environment), ConverterSettings.DEFAULT);
  }

  private static ConversionAccess of(ImageAccess images, ConverterSettings settings) {
    return new ConversionAccess(
        images, settings.pipeline(), settings.limits(), settings.admission().maxEntries());
  }

  /** The same with other ways of making objects. */
  public ConversionAccess withPipeline(PipelineSettings other) {
    return new ConversionAccess(images, other, limits, maxEntries);
  }

  @Override
  public void close() {
    images.close();
  }
}
