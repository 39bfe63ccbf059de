package io.lamina.converter;

import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.cvmfs.ObjectKind;
import io.lamina.cvmfs.compression.CompressedObject;
import io.lamina.cvmfs.compression.Decompression;
import io.lamina.messaging.event.StoredFile;
import io.lamina.storage.ObjectKey;
import io.lamina.storage.ObjectStore;

/** Reads small file objects back, verified. */
public final class StoredFiles {
  /** A stream that does not shrink grows by a few bytes in each block. */
  private static final int COMPRESSION_SLACK_BYTES = 1 << 16;

  private StoredFiles() {}

  /**
   * The file's bytes.
   *
   * @throws ConverterException.Rejected if it is longer than {@code maxBytes}
   * @throws CvmfsException.Corrupt if the object is not what its name and size promise
   * @throws io.lamina.storage.StorageException.NotFound if it is not there
   */
  public static byte[] read(ObjectStore store, StoredFile file, int maxBytes) {
    if (file.sizeBytes() > maxBytes) {
      throw new ConverterException.Rejected(
          "file object "
              + file.object()
              + " has "
              + file.sizeBytes()
              + " bytes; the limit is "
              + maxBytes);
    }
    ObjectKey key = new ObjectKey(ObjectKind.FILE.pathOf(file.object()));
    byte[] stored = store.read(key, (int) file.sizeBytes() + COMPRESSION_SLACK_BYTES);
    ContentHash actual = CompressedObject.ofStored(stored, file.object().algorithm()).hash();
    if (!actual.equals(file.object())) {
      throw new CvmfsException.Corrupt("object " + key + " has bytes that hash to " + actual);
    }
    return Decompression.inflateExactly(stored, (int) file.sizeBytes());
  }
}
