package io.lamina.cvmfs.signing;

import io.lamina.cvmfs.CvmfsException;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.List;

/**
 * Public halves of the master keys that a reader trusts; one of them must have signed the
 * whitelist.
 *
 * <p>Source: docs/format/manifest.md, "Keys". Immutable.
 *
 * @param keys 1 to 100
 */
public record MasterKeys(List<RSAPublicKey> keys) {
  static final String LABEL = "PUBLIC KEY";

  private static final int MAX_KEYS = 100;

  public MasterKeys {
    keys = List.copyOf(keys);
    if (keys.isEmpty() || keys.size() > MAX_KEYS) {
      throw new CvmfsException.Rejected("1 to " + MAX_KEYS + " public keys, not " + keys.size());
    }
  }

  /**
   * Reads one public key from PEM ({@code PUBLIC KEY}).
   *
   * @throws CvmfsException.Rejected if it is not an RSA public key
   */
  public static MasterKeys parse(byte[] pem) {
    return new MasterKeys(List.of(parseKey(pem, "the public key")));
  }

  /**
   * Reads a {@code .pub} file, or all of them in a folder.
   *
   * @throws CvmfsException.NotFound if there is none
   * @throws CvmfsException.Rejected if one is not an RSA public key
   */
  public static MasterKeys load(Path fileOrFolder) {
    List<Path> files = new ArrayList<>();
    if (Files.isDirectory(fileOrFolder)) {
      try (DirectoryStream<Path> entries = Files.newDirectoryStream(fileOrFolder, "*.pub")) {
        entries.forEach(files::add);
      } catch (IOException e) {
        throw new CvmfsException.Rejected("cannot list the key folder " + fileOrFolder, e);
      }
      if (files.isEmpty()) {
        throw new CvmfsException.NotFound("no public key (*.pub) in " + fileOrFolder);
      }
      files.sort(null);
    } else {
      files.add(fileOrFolder);
    }
    return new MasterKeys(
        files.stream().map(file -> parseKey(KeyFiles.read(file), file.toString())).toList());
  }

  static RSAPublicKey parseKey(byte[] pem, String what) {
    try {
      X509EncodedKeySpec spec = new X509EncodedKeySpec(Pem.decode(LABEL, pem, what));
      return (RSAPublicKey) KeyFactory.getInstance("RSA").generatePublic(spec);
    } catch (GeneralSecurityException e) {
      throw new CvmfsException.Rejected(what + " is not an RSA public key", e);
    }
  }
}
