package io.lamina.linux;

/**
 * One line of the mount table. Immutable.
 *
 * @param id of the mount; used again after it ended
 * @param parentId the mount that it lies on
 * @param device of the file system, as {@code MAJOR:MINOR}
 * @param root what of the file system is shown; its root is {@code /}
 * @param path where, as this process sees it; what is not UTF-8 is replaced
 * @param options of this mount, separated by commas
 * @param type of file system, such as {@code overlay} or {@code fuse}
 * @param source what was mounted, as the file system tells
 * @param superOptions of the file system, separated by commas
 */
public record MountPoint(
    int id,
    int parentId,
    String device,
    String root,
    String path,
    String options,
    String type,
    String source,
    String superOptions) {}
