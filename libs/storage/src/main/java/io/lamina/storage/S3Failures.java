package io.lamina.storage;

import io.minio.errors.ErrorResponseException;
import io.minio.errors.InvalidResponseException;
import io.minio.errors.MinioException;
import io.minio.errors.ServerException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.UnknownHostException;
import javax.net.ssl.SSLHandshakeException;
import org.jspecify.annotations.Nullable;

/** The one table from S3 errors to this module's. Stateless. */
final class S3Failures {
  private S3Failures() {}

  static boolean isPrecondition(Throwable e) {
    return e instanceof ErrorResponseException error && error.response().code() == 412;
  }

  static StorageException translate(String attempted, Throwable e) {
    String message = "could not " + attempted + ": ";
    return switch (e) {
      case StorageException ours -> ours;
      case ErrorResponseException error -> {
        String code = String.valueOf(error.errorResponse().code());
        yield byCode(message + code + ": " + error.getMessage(), code, error.response().code(), e);
      }
      case ServerException error ->
          byStatus(message + "HTTP status " + error.statusCode(), error.statusCode(), e);
      case InvalidResponseException error ->
          new StorageException.Retryable(
              message + "the answer is not that of an S3 service: " + error.getMessage(), e);
      case UnknownHostException _, ConnectException _, NoRouteToHostException _ ->
          new StorageException.Retryable(message + e, e);
      case SSLHandshakeException _ ->
          new StorageException.Rejected(
              message + "the service's certificate is not trusted: " + e.getMessage(), e);
      // The request was under way: it may have been carried out.
      case IOException _ -> new StorageException.OutcomeUnknown(message + e, e);
      case MinioException error -> {
        Throwable cause = error.getCause();
        yield cause instanceof IOException
            ? translate(attempted, cause)
            : new StorageException.Retryable(message + error.getMessage(), e);
      }
      case IllegalArgumentException _ -> new StorageException.Rejected(message + e.getMessage(), e);
      default -> new StorageException.Retryable(message + e, e);
    };
  }

  private static StorageException byCode(
      String message, String code, int status, @Nullable Throwable e) {
    return switch (code) {
      case "NoSuchKey" -> new StorageException.NotFound(message);
      case "NoSuchBucket" ->
          new StorageException.Rejected(message + "; create the bucket first", e);
      case "AccessDenied",
          "InvalidAccessKeyId",
          "SignatureDoesNotMatch",
          "ExpiredToken",
          "InvalidToken",
          "RequestTimeTooSkewed" ->
          new StorageException.Rejected(
              message + "; check the credentials, their rights and this host's clock", e);
      case "QuotaExceeded",
          "XMinioStorageFull",
          "XMinioAdminBucketQuotaExceeded",
          "InsufficientCapacity" ->
          new StorageException.Exhausted(message, e);
      case "ConditionalRequestConflict",
          "OperationAborted",
          "Conflict",
          "SlowDown",
          "IncompleteBody",
          "RequestTimeout" ->
          new StorageException.Retryable(message, e);
      default -> byStatus(message, status, e);
    };
  }

  private static StorageException byStatus(String message, int status, @Nullable Throwable e) {
    return switch (status) {
      case 404 -> new StorageException.NotFound(message);
      case 507 -> new StorageException.Exhausted(message, e);
      case 408, 409, 425, 429 -> new StorageException.Retryable(message, e);
      // A gateway may give up on a request that goes on behind it.
      case 500, 502, 504 -> new StorageException.OutcomeUnknown(message, e);
      default ->
          status >= 500
              ? new StorageException.Retryable(message, e)
              : new StorageException.Rejected(message, e);
    };
  }
}
