package io.lamina.image.registry;

import static io.lamina.image.registry.FaultServer.answer;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lamina.image.Digest;
import io.lamina.image.ImageException;
import io.lamina.image.ImageReference;
import io.lamina.image.Platform;
import io.lamina.image.ResolvedImage;
import io.lamina.image.policy.NamePattern;
import io.lamina.image.signature.SignaturePolicy;
import io.lamina.image.testing.ImageBuilder;
import io.lamina.image.testing.TarBuilder.Compression;
import io.lamina.image.testing.TestImage;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Images that have to be signed, in a registry that says what it likes. */
class ImageSignaturesIT {
  private static final TestImage IMAGE =
      ImageBuilder.oci().layer(Compression.GZIP, tar -> tar.file("a", 0644, "a")).build();
  private static final TestImage INDEX = ImageBuilder.index(IMAGE);
  private static final String PATH = "/v2/team/app/";

  private final KeyPair own = keys();
  private final KeyPair stranger = keys();
  private FaultServer server;
  private Registries registries;

  @BeforeEach
  void start() {
    server = new FaultServer();
    registries = new Registries(RegistrySettings.DEFAULT);
    manifest("v1", IMAGE);
    manifest("multi", INDEX);
    manifest(IMAGE.manifest().digest().toString(), IMAGE);
    blob(IMAGE.configBytes());
  }

  @AfterEach
  void stop() {
    registries.close();
    server.close();
  }

  @Test
  void takesAnImageThatAKnownKeySigned() {
    sign(own, IMAGE.manifest().digest(), IMAGE.manifest().digest());

    assertThat(resolve("v1").manifest().digest()).isEqualTo(IMAGE.manifest().digest());
  }

  @Test
  void takesAnImageOfAnIndexThatAKnownKeySigned() {
    sign(own, INDEX.manifest().digest(), INDEX.manifest().digest());

    assertThat(resolve("multi").manifest().digest()).isEqualTo(IMAGE.manifest().digest());
  }

  @Test
  void takesASignedImageOfAnUnsignedIndex() {
    sign(own, IMAGE.manifest().digest(), IMAGE.manifest().digest());

    assertThat(resolve("multi").manifest().digest()).isEqualTo(IMAGE.manifest().digest());
  }

  @Test
  void refusesAnImageWithoutASignature() {
    assertThatThrownBy(() -> resolve("v1"))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("has no signature")
        .hasMessageContaining(IMAGE.manifest().digest().toString());
  }

  @Test
  void refusesTheSignatureOfAStranger() {
    sign(stranger, IMAGE.manifest().digest(), IMAGE.manifest().digest());

    assertThatThrownBy(() -> resolve("v1"))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("none of its 1 signatures");
  }

  @Test
  void refusesTheSignatureOfAnotherImage() {
    sign(own, IMAGE.manifest().digest(), Digest.sha256(new byte[] {1}));

    assertThatThrownBy(() -> resolve("v1"))
        .isInstanceOf(ImageException.Rejected.class)
        .hasMessageContaining("none of its 1 signatures");
  }

  @Test
  void takesGarbageForNoSignature() {
    String tag = tag(IMAGE.manifest().digest());
    for (String garbage :
        List.of("", "x", "{}", "{\"layers\":[1,{},{\"annotations\":{}}]}", "{\"layers\":{}}")) {
      server.on(PATH + "manifests/" + tag, answer(200, garbage));

      assertThatThrownBy(() -> resolve("v1"))
          .as(garbage)
          .isInstanceOf(ImageException.Rejected.class)
          .hasMessageContaining("has no signature");
    }
  }

  @Test
  void asksForNoSignatureOfOtherRepositories() {
    SignaturePolicy elsewhere =
        new SignaturePolicy(NamePattern.parse("quay.io"), List.of(own.getPublic()));
    try (RegistrySource source = new RegistrySource(reference("v1"), registries, elsewhere)) {
      assertThatCode(() -> source.resolve(Platform.LINUX_AMD64)).doesNotThrowAnyException();
    }
    assertThat(server.seen).noneMatch(seen -> seen.path().endsWith(".sig"));
  }

  private ResolvedImage resolve(String tag) {
    SignaturePolicy policy =
        new SignaturePolicy(NamePattern.parse(server.host() + "/team/*"), List.of(own.getPublic()));
    try (RegistrySource source = new RegistrySource(reference(tag), registries, policy)) {
      return source.resolve(Platform.LINUX_AMD64);
    }
  }

  private ImageReference.Registry reference(String tag) {
    return new ImageReference.Registry(
        server.host(), "team/app", Optional.of(tag), Optional.empty());
  }

  private void manifest(String tag, TestImage image) {
    server.on(
        PATH + "manifests/" + tag,
        answer(200, image.manifestBytes(), "Content-Type", image.manifest().mediaType()));
  }

  private Digest blob(byte[] bytes) {
    Digest digest = Digest.sha256(bytes);
    server.on(PATH + "blobs/" + digest, answer(200, bytes));
    return digest;
  }

  private static String tag(Digest digest) {
    return "sha256-" + digest.hex() + ".sig";
  }

  /** As cosign stores it. */
  private void sign(KeyPair key, Digest beside, Digest of) {
    byte[] payload =
        ("{\"critical\":{\"identity\":{\"docker-reference\":\"a.test/team/app\"},"
                + "\"image\":{\"docker-manifest-digest\":\""
                + of
                + "\"},\"type\":\"cosign container image signature\"},\"optional\":null}")
            .getBytes(StandardCharsets.UTF_8);
    String manifest =
        "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
            + "\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"size\":2,"
            + "\"digest\":\""
            + Digest.sha256("{}".getBytes(StandardCharsets.UTF_8))
            + "\"},\"layers\":[{\"mediaType\":\"application/vnd.dev.cosign.simplesigning.v1+json\","
            + "\"size\":"
            + payload.length
            + ",\"digest\":\""
            + blob(payload)
            + "\",\"annotations\":{\"dev.cosignproject.cosign/signature\":\""
            + signature(key, payload)
            + "\"}}]}";
    server.on(
        PATH + "manifests/" + tag(beside),
        answer(200, manifest, "Content-Type", "application/vnd.oci.image.manifest.v1+json"));
  }

  private static String signature(KeyPair key, byte[] payload) {
    try {
      Signature signature = Signature.getInstance("SHA256withECDSA");
      signature.initSign(key.getPrivate());
      signature.update(payload);
      return Base64.getEncoder().encodeToString(signature.sign());
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private static KeyPair keys() {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(256);
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }
}
