package io.lamina.converter.plan;

import io.lamina.converter.RepositoryStores;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.compression.Compression;
import io.lamina.cvmfs.compression.ObjectCompressor;
import io.lamina.messaging.event.StoredFile;
import io.lamina.repository.ObjectUploads;
import java.util.List;
import java.util.Optional;

/** Plans' files as file objects of their repositories. Thread-safe; close it after the last use. */
public final class StoredPlanFiles implements PlanFiles, AutoCloseable {
  /** The JDK's zlib, which every machine has: the same manifest is the same object everywhere. */
  public static final Compression COMPRESSION = new Compression(Compression.Engine.JDK, 6);

  private final RepositoryStores stores;
  private final ObjectCompressor compressor = COMPRESSION.newCompressor();

  public StoredPlanFiles(RepositoryStores stores) {
    this.stores = stores;
  }

  @Override
  public List<RepositoryName> known() {
    return stores.known();
  }

  @Override
  public Optional<Writer> writer(RepositoryName repository) {
    return stores.find(repository).map(store -> new ObjectWriter(new ObjectUploads(store)));
  }

  @Override
  public void close() {
    compressor.close();
  }

  private final class ObjectWriter implements Writer {
    private final ObjectUploads uploads;

    private ObjectWriter(ObjectUploads uploads) {
      this.uploads = uploads;
    }

    @Override
    public StoredFile store(byte[] bytes) {
      return new StoredFile(uploads.putFile(bytes, compressor), bytes.length);
    }

    @Override
    public void flush() {
      uploads.flush();
    }
  }
}
