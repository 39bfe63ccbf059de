package io.lamina.messaging.event;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lamina.cvmfs.ContentHash;
import io.lamina.cvmfs.RepositoryName;
import io.lamina.cvmfs.RepositoryPath;
import io.lamina.cvmfs.catalog.Xattrs;
import io.lamina.image.Digest;
import io.lamina.image.Platform;
import io.lamina.messaging.MessagingException;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Records to JSON trees and back, by their components. Value types have a text form of their own; a
 * sealed interface is an object with one field that names the kind; empty optionals and nulls are
 * left out.
 *
 * <p>Source: docs/protocol/events.md, "JSON". Stateless.
 */
final class RecordJson {
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
  private static final String BASE64 = "base64";

  /** A value that is a JSON string. */
  private record Text<T>(Class<T> type, Function<T, String> write, Function<String, T> read) {}

  private static final Map<Class<?>, Text<?>> TEXTS = new HashMap<>();

  static {
    text(String.class, s -> s, s -> s);
    text(Instant.class, Instant::toString, Instant::parse);
    text(Digest.class, Digest::toString, Digest::parse);
    text(ContentHash.class, ContentHash::toString, ContentHash::parse);
    text(RepositoryName.class, RepositoryName::value, RepositoryName::new);
    text(RequestId.class, RequestId::value, RequestId::new);
    text(Platform.class, Platform::toString, Platform::parse);
  }

  private RecordJson() {}

  private static <T> void text(Class<T> type, Function<T, String> write, Function<String, T> read) {
    TEXTS.put(type, new Text<>(type, write, read));
  }

  /** {@code LayerConverted} to {@code layer-converted}. */
  static String kebab(String simpleName) {
    return simpleName.replaceAll("(?<=[a-z0-9])(?=[A-Z])", "-").toLowerCase(Locale.ROOT);
  }

  static ObjectNode write(Record record) {
    ObjectNode object = NODES.objectNode();
    for (RecordComponent component : record.getClass().getRecordComponents()) {
      Object value = component(record, component);
      if (value instanceof Optional<?> optional) {
        value = optional.orElse(null);
      }
      if (value != null) {
        object.set(component.getName(), writeValue(value, rawType(elementType(component))));
      }
    }
    return object;
  }

  /** An event whose kind is said elsewhere. */
  static ObjectNode write(Event event) {
    return write((Record) event);
  }

  private static JsonNode writeValue(Object value, Class<?> declared) {
    return switch (value) {
      case Boolean b -> NODES.booleanNode(b);
      case Integer i -> NODES.numberNode(i);
      case Long l -> NODES.numberNode(l);
      case Enum<?> e -> NODES.textNode(e.name());
      case byte[] bytes -> writeBytes(bytes);
      case RepositoryPath path -> writeBytes(path.bytes());
      case Xattrs xattrs -> {
        ObjectNode object = NODES.objectNode();
        xattrs
            .asMap()
            .forEach((name, bytes) -> object.put(name, Base64.getEncoder().encodeToString(bytes)));
        yield object;
      }
      case List<?> list -> {
        ArrayNode array = NODES.arrayNode(list.size());
        // The declared type of a list's component is that of its elements.
        list.forEach(element -> array.add(writeValue(element, declared)));
        yield array;
      }
      default -> {
        Text<?> text = TEXTS.get(value.getClass());
        if (text != null) {
          yield NODES.textNode(writeText(text, value));
        }
        if (!(value instanceof Record record)) {
          throw new MessagingException.Rejected("no JSON form for " + value.getClass().getName());
        }
        ObjectNode object = write(record);
        if (declared.isSealed()) {
          ObjectNode wrapper = NODES.objectNode();
          wrapper.set(kebab(value.getClass().getSimpleName()), object);
          yield wrapper;
        }
        yield object;
      }
    };
  }

  private static <T> String writeText(Text<T> text, Object value) {
    return text.write().apply(text.type().cast(value));
  }

  /** Text where the bytes are UTF-8, else an object that says they are not. */
  private static JsonNode writeBytes(byte[] bytes) {
    try {
      return NODES.textNode(
          StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
    } catch (CharacterCodingException notText) {
      return NODES.objectNode().put(BASE64, Base64.getEncoder().encodeToString(bytes));
    }
  }

  /**
   * @param where path in the document, for messages
   */
  static Object read(JsonNode json, Type type, String where) {
    Class<?> raw = rawType(type);
    Text<?> text = TEXTS.get(raw);
    if (text != null) {
      return constructed(where, () -> text.read().apply(string(json, where)));
    }
    if (raw == long.class || raw == Long.class) {
      expect(json.isIntegralNumber() && json.canConvertToLong(), "an integer", json, where);
      return json.longValue();
    }
    if (raw == int.class || raw == Integer.class) {
      expect(json.isIntegralNumber() && json.canConvertToInt(), "a 32-bit integer", json, where);
      return json.intValue();
    }
    if (raw == boolean.class || raw == Boolean.class) {
      expect(json.isBoolean(), "true or false", json, where);
      return json.booleanValue();
    }
    if (raw == byte[].class) {
      return readBytes(json, where);
    }
    if (raw == RepositoryPath.class) {
      return constructed(where, () -> RepositoryPath.ofBytes(readBytes(json, where)));
    }
    if (raw == Xattrs.class) {
      return readXattrs(json, where);
    }
    if (raw.isEnum()) {
      return readEnum(json, raw, where);
    }
    if (raw == List.class) {
      expect(json.isArray(), "an array", json, where);
      List<Object> list = new ArrayList<>(json.size());
      for (int i = 0; i < json.size(); i++) {
        list.add(read(json.get(i), argument(type), where + "[" + i + "]"));
      }
      return List.copyOf(list);
    }
    expect(json.isObject(), "an object", json, where);
    return raw.isSealed() ? readSealed(json, raw, where) : readRecord(json, raw, where);
  }

  private static Object readSealed(JsonNode json, Class<?> sealed, String where) {
    expect(json.size() == 1, "an object with one field that names a kind", json, where);
    String kind = json.fieldNames().next();
    Class<?> record = permitted(sealed, kind);
    if (record == null) {
      throw new MessagingException.Corrupt(
          where + ": unknown kind '" + kind + "' of " + sealed.getSimpleName());
    }
    JsonNode value = json.get(kind);
    expect(value.isObject(), "an object", value, where + "." + kind);
    return readRecord(value, record, where + "." + kind);
  }

  private static @Nullable Class<?> permitted(Class<?> sealed, String kind) {
    for (Class<?> child : sealed.getPermittedSubclasses()) {
      Class<?> found =
          child.isSealed()
              ? permitted(child, kind)
              : kebab(child.getSimpleName()).equals(kind) ? child : null;
      if (found != null) {
        return found;
      }
    }
    return null;
  }

  private static Object readRecord(JsonNode json, Class<?> type, String where) {
    if (!type.isRecord()) {
      throw new IllegalStateException("no JSON form for " + type.getName());
    }
    RecordComponent[] components = type.getRecordComponents();
    @Nullable Object[] values = new Object[components.length];
    for (int i = 0; i < components.length; i++) {
      RecordComponent component = components[i];
      String at = where + "." + component.getName();
      JsonNode field = json.get(component.getName());
      boolean absent = field == null || field.isNull();
      if (component.getType() == Optional.class) {
        values[i] =
            absent
                ? Optional.empty()
                : Optional.of(read(field, argument(component.getGenericType()), at));
      } else if (!absent) {
        values[i] = read(field, component.getGenericType(), at);
      } else if (!component.getAnnotatedType().isAnnotationPresent(Nullable.class)) {
        throw new MessagingException.Corrupt(at + " is missing");
      }
    }
    return constructed(where, () -> canonical(type, components).newInstance(values));
  }

  private static Constructor<?> canonical(Class<?> type, RecordComponent[] components)
      throws NoSuchMethodException {
    return type.getDeclaredConstructor(
        Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new));
  }

  private static byte[] readBytes(JsonNode json, String where) {
    if (json.isTextual()) {
      return json.textValue().getBytes(StandardCharsets.UTF_8);
    }
    expect(json.isObject() && json.has(BASE64), "a string or {\"base64\": …}", json, where);
    return base64(json.get(BASE64), where);
  }

  private static byte[] base64(JsonNode json, String where) {
    String text = string(json, where);
    return (byte[]) constructed(where, () -> Base64.getDecoder().decode(text));
  }

  private static Xattrs readXattrs(JsonNode json, String where) {
    expect(json.isObject(), "an object", json, where);
    Map<String, byte[]> values = new HashMap<>();
    json.properties()
        .forEach(
            field ->
                values.put(field.getKey(), base64(field.getValue(), where + "." + field.getKey())));
    return Xattrs.of(values);
  }

  private static Object readEnum(JsonNode json, Class<?> type, String where) {
    String name = string(json, where);
    for (Object constant : type.getEnumConstants()) {
      if (((Enum<?>) constant).name().equals(name)) {
        return constant;
      }
    }
    throw new MessagingException.Corrupt(
        where + ": '" + name + "' is none of " + Arrays.toString(type.getEnumConstants()));
  }

  private static String string(JsonNode json, String where) {
    expect(json.isTextual(), "a string", json, where);
    return json.textValue();
  }

  private static void expect(boolean holds, String what, JsonNode json, String where) {
    if (!holds) {
      throw new MessagingException.Corrupt(
          where + " is not " + what + " but " + json.getNodeType());
    }
  }

  /** Calls code that may throw anything when it refuses a value. */
  private interface Construction {
    Object run() throws ReflectiveOperationException;
  }

  private static Object constructed(String where, Construction construction) {
    try {
      return construction.run();
    } catch (MessagingException e) {
      throw e;
    } catch (InvocationTargetException e) {
      throw refused(where, e.getCause() == null ? e : e.getCause());
    } catch (ReflectiveOperationException | RuntimeException e) {
      throw refused(where, e);
    }
  }

  private static MessagingException refused(String where, Throwable cause) {
    return cause instanceof MessagingException already
        ? already
        : new MessagingException.Corrupt(where + ": " + cause.getMessage(), cause);
  }

  private static @Nullable Object component(Record record, RecordComponent component) {
    try {
      return component.getAccessor().invoke(record);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("cannot read " + component, e);
    }
  }

  private static Type elementType(RecordComponent component) {
    Class<?> raw = component.getType();
    return raw == Optional.class || raw == List.class
        ? argument(component.getGenericType())
        : component.getGenericType();
  }

  private static Type argument(Type type) {
    return ((ParameterizedType) type).getActualTypeArguments()[0];
  }

  private static Class<?> rawType(Type type) {
    return switch (type) {
      case Class<?> c -> c;
      case ParameterizedType p -> (Class<?>) p.getRawType();
      default -> throw new IllegalStateException("no JSON form for " + type);
    };
  }
}
