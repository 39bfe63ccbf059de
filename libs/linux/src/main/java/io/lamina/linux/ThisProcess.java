package io.lamina.linux;

/** As whom this process acts. Source: man 2 geteuid. Thread-safe. */
public final class ThisProcess {
  private ThisProcess() {}

  /** Whether the calls of this package can be made here: Linux on x86_64 or aarch64. */
  public static boolean isOnLinux() {
    return System.getProperty("os.name", "").equals("Linux") && Native.Machine.find().isPresent();
  }

  public static int effectiveUser() {
    return (int) Native.call(Call.GETEUID);
  }

  public static int effectiveGroup() {
    return (int) Native.call(Call.GETEGID);
  }
}
