package io.lamina.standalone.command;

import io.lamina.client.failure.ClientException;
import io.lamina.cvmfs.CvmfsException;
import io.lamina.image.ImageException;
import io.lamina.journal.JournalException;
import io.lamina.messaging.MessagingException;
import io.lamina.node.graphdriver.DriverException;
import io.lamina.repository.RepositoryException;
import io.lamina.settings.SettingsException;
import io.lamina.standalone.bench.BenchmarkException;
import io.lamina.standalone.client.GatewayException;
import io.lamina.storage.StorageException;

/** What the command returns to the shell. Source: docs/command.md, "Exit codes". */
public enum ExitCode {
  OK(0),
  FAILED(1),
  USAGE(2),
  NOT_FOUND(3),
  REFUSED(4),
  CORRUPT(5),
  UNAVAILABLE(6),
  REQUEST_FAILED(7),
  REQUEST_CANCELLED(8);

  private final int number;

  ExitCode(int number) {
    this.number = number;
  }

  public int number() {
    return number;
  }

  /** The code that tells a script what kind of failure this was. */
  static ExitCode of(Throwable failure) {
    return switch (failure) {
      case CommandException e -> e.code();
      case SettingsException _ -> USAGE;
      case BenchmarkException _ -> REQUEST_FAILED;
      case DriverException _ -> REFUSED;
      case GatewayException e ->
          switch (e.status()) {
            case 0, 429, 502, 503, 504 -> UNAVAILABLE;
            case 404 -> NOT_FOUND;
            case 400, 401, 403, 409, 413, 422, 501 -> REFUSED;
            default -> FAILED;
          };
      case CvmfsException e ->
          switch (e) {
            case CvmfsException.Rejected _ -> REFUSED;
            case CvmfsException.Corrupt _ -> CORRUPT;
            case CvmfsException.NotFound _ -> NOT_FOUND;
            case CvmfsException.Retryable _ -> UNAVAILABLE;
          };
      case ImageException e ->
          switch (e) {
            case ImageException.Rejected _ -> REFUSED;
            case ImageException.Corrupt _ -> CORRUPT;
            case ImageException.NotFound _ -> NOT_FOUND;
            case ImageException.Retryable _ -> UNAVAILABLE;
          };
      case ClientException e ->
          switch (e) {
            case ClientException.Rejected _ -> REFUSED;
            case ClientException.Exhausted _, ClientException.Broken _ -> UNAVAILABLE;
          };
      case StorageException e ->
          switch (e) {
            case StorageException.Rejected _, StorageException.Conflict _ -> REFUSED;
            case StorageException.Corrupt _ -> CORRUPT;
            case StorageException.NotFound _ -> NOT_FOUND;
            case StorageException.Retryable _,
                StorageException.OutcomeUnknown _,
                StorageException.Exhausted _ ->
                UNAVAILABLE;
          };
      case JournalException e ->
          switch (e) {
            case JournalException.Rejected _ -> REFUSED;
            case JournalException.Corrupt _ -> CORRUPT;
            case JournalException.NotFound _ -> NOT_FOUND;
            case JournalException.Retryable _ -> UNAVAILABLE;
          };
      case RepositoryException e ->
          switch (e) {
            case RepositoryException.Rejected _ -> REFUSED;
            case RepositoryException.Corrupt _ -> CORRUPT;
            case RepositoryException.NotFound _ -> NOT_FOUND;
            case RepositoryException.Conflict _,
                RepositoryException.Retryable _,
                RepositoryException.OutcomeUnknown _ ->
                UNAVAILABLE;
          };
      case MessagingException e ->
          switch (e) {
            case MessagingException.Rejected _, MessagingException.Fatal _ -> REFUSED;
            case MessagingException.Corrupt _ -> CORRUPT;
            case MessagingException.Retryable _,
                MessagingException.OutcomeUnknown _,
                MessagingException.PartitionLost _ ->
                UNAVAILABLE;
          };
      default -> FAILED;
    };
  }
}
