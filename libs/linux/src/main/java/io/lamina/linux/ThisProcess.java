package io.lamina.linux;

/** As whom this process acts. Source: man 2 geteuid. Thread-safe. */
public final class ThisProcess {
  private ThisProcess() {}

  public static int effectiveUser() {
    return (int) Native.call(Call.GETEUID);
  }

  public static int effectiveGroup() {
    return (int) Native.call(Call.GETEGID);
  }
}
