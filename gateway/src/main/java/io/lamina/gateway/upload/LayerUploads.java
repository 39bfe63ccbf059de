package io.lamina.gateway.upload;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.image.Descriptor;
import io.lamina.image.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.util.OptionalLong;

/** Takes layer archives in. Methods block; thread-safe. */
public interface LayerUploads {
  /**
   * Reads the body to its end and stores it, if it is exactly what the descriptor names.
   *
   * @param body closed by the caller
   * @return whether it is new; false if it was stored before
   * @throws io.lamina.gateway.problem.GatewayException.Refused if size or digest differ, or there
   *     is no such repository here
   * @throws IOException if the body breaks off
   */
  boolean store(RepositoryName repository, Descriptor layer, InputStream body) throws IOException;

  /**
   * The size in bytes of what was stored; empty if nothing was.
   *
   * @throws io.lamina.gateway.problem.GatewayException.Refused if there is no such repository here
   */
  OptionalLong find(RepositoryName repository, Digest digest);
}
