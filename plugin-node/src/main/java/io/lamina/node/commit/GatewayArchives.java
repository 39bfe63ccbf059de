package io.lamina.node.commit;

import io.lamina.cvmfs.RepositoryName;
import io.lamina.image.Descriptor;
import io.lamina.node.gateway.GatewayConnection;
import io.lamina.node.gateway.GatewayFailure;
import java.nio.file.Path;
import java.time.Duration;

/** Sends archives through the gateway, which verifies them. Thread-safe. */
public final class GatewayArchives implements LayerArchives {
  private final GatewayConnection gateway;

  public GatewayArchives(GatewayConnection gateway) {
    this.gateway = gateway;
  }

  @Override
  public void put(RepositoryName repository, Descriptor archive, Path file, Duration deadline)
      throws Away, Refused, InterruptedException {
    String path = "/api/v1/uploads/" + archive.digest() + "?repository=" + repository;
    try {
      if (!gateway.exists(path, deadline)) {
        gateway.put(path, file, deadline);
      }
    } catch (GatewayFailure.Away e) {
      throw new Away(String.valueOf(e.getMessage()), e);
    } catch (GatewayFailure e) {
      throw new Refused(String.valueOf(e.getMessage()), e);
    }
  }
}
