import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Security;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/**
 * The JDK's own TLS as a client, for as many jobs as come on standard input: one a line, fields `key=value` separated by
 * tabs, answered by one line of JSON. One process does them all because starting it takes longer than any of them.
 *
 * kind=lines: speaks any protocol of lines over bare TLS: `script` is `expected|line|expected|...`, where `expected` begins
 * the line that is waited for, or is empty where the client goes first; all in hexadecimal. kind=mail: delivers `file` by SMTP, from the address `local` and as the user `user` if there is one. kind=echo: sends
 * data over bare TLS and wants it back; its `rounds` are connections, `size:closer`, and each but the first offers the
 * session of the one before.
 */
public final class SmtpTlsClient {
  private static SSLContext context;
  private static String phase;

  public static void main(String[] args) throws Exception {
    Security.setProperty("jdk.tls.disabledAlgorithms", "");
    Security.setProperty("jdk.certpath.disabledAlgorithms", "");
    BufferedReader jobs = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = jobs.readLine(); line != null; line = jobs.readLine()) {
      Map<String, String> job = new HashMap<>();
      for (String field : line.split("\t")) {
        int equals = field.indexOf('=');
        job.put(field.substring(0, equals), field.substring(equals + 1));
      }
      // A context of its own for each job: nothing is resumed by accident. It reads this property when it is made.
      System.setProperty("jdk.tls.client.enableSessionTicketExtension", String.valueOf(!"no".equals(job.get("tickets"))));
      context = trustingContext();
      String answer;
      try {
        answer = switch (job.get("kind")) {
          case "echo" -> echo(job);
          case "lines" -> lines(job);
          default -> deliver(job);
        };
      } catch (Exception e) {
        answer = "{\"ok\":false,\"phase\":" + quote(phase) + ",\"error\":" + quote(String.valueOf(e)) + "}";
      }
      System.out.println(answer);
    }
  }

  private static String deliver(Map<String, String> job) throws Exception {
    phase = "connect";
    Socket plain = connect(job);
    try {
      Dialogue dialogue = new Dialogue(plain);
      if (job.get("mode").equals("starttls")) {
        phase = "plaintext";
        dialogue.expect("220");
        dialogue.command("EHLO " + job.get("helo"), "250");
        dialogue.command("STARTTLS", "220");
      }
      SSLSocket socket = handshake(plain, job);
      phase = "mail";
      dialogue = new Dialogue(socket);
      if (job.get("mode").equals("implicit")) dialogue.expect("220");
      dialogue.command("EHLO " + job.get("helo"), "250");
      if (job.containsKey("user")) dialogue.command("AUTH PLAIN " + plain(job.get("user"), job.get("pass")), "235");
      dialogue.command("MAIL FROM:<" + job.get("from") + ">", "250");
      dialogue.command("RCPT TO:<" + job.get("to") + ">", "250");
      dialogue.command("DATA", "354");
      dialogue.message(withSmtpLines(Files.readAllBytes(Path.of(job.get("file")))));
      dialogue.expect("250");
      dialogue.command("QUIT", "221");
      String answer = describe(socket);
      socket.close();
      return answer;
    } finally {
      plain.close();
    }
  }

  /** Everything that was read is in the answer, in hexadecimal. */
  private static String lines(Map<String, String> job) throws Exception {
    phase = "connect";
    try (Socket plain = connect(job); SSLSocket socket = handshake(plain, job)) {
      phase = "lines";
      BufferedReader in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.ISO_8859_1));
      StringBuilder read = new StringBuilder();
      String[] script = new String(HexFormat.of().parseHex(job.get("script")), StandardCharsets.ISO_8859_1).split("\\|");
      for (int step = 0; step < script.length; step += 2) {
        String line;
        if (!script[step].isEmpty()) do {
          line = in.readLine();
          if (line == null) throw new IOException("closed instead of " + script[step] + " after " + read);
          read.append(line).append('\n');
        } while (!line.startsWith(script[step]));
        if (step + 1 == script.length) break;
        socket.getOutputStream().write((script[step + 1] + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
        socket.getOutputStream().flush();
      }
      String text = HexFormat.of().formatHex(read.toString().getBytes(StandardCharsets.ISO_8859_1));
      return describe(socket).replaceFirst("}$", ",\"read\":\"" + text + "\"}");
    }
  }

  /** RFC 4616, 2: what AUTH PLAIN takes. */
  private static String plain(String user, String pass) {
    return Base64.getEncoder().encodeToString(("\0" + user + "\0" + pass).getBytes(StandardCharsets.UTF_8));
  }

  /** Any text file becomes a message: every line ends in CRLF (RFC 5321, 2.3.8), the last one too. */
  private static byte[] withSmtpLines(byte[] file) {
    String text = new String(file, StandardCharsets.ISO_8859_1).replaceAll("(?<!\r)\n", "\r\n");
    return (text.endsWith("\r\n") ? text : text + "\r\n").getBytes(StandardCharsets.ISO_8859_1);
  }

  private static String echo(Map<String, String> job) throws Exception {
    String answer = null;
    for (String round : job.get("rounds").split(",")) {
      String[] parts = round.split(":");
      phase = "connect";
      try (Socket plain = connect(job); SSLSocket socket = handshake(plain, job)) {
        phase = "echo";
        exchange(socket, Integer.parseInt(parts[0]));
        phase = "close";
        if (parts[1].equals("server") && socket.getInputStream().read() != -1) {
          throw new IOException("data instead of a close");
        }
        answer = describe(socket);
      }
    }
    return answer;
  }

  /** Writes while it reads: no buffer on the path holds megabytes. */
  private static void exchange(SSLSocket socket, int size) throws Exception {
    byte[] sent = new byte[size];
    for (int at = 0; at < size; at++) sent[at] = (byte) (at * 31 + (at >> 8));
    Thread writing = new Thread(() -> {
      try {
        socket.getOutputStream().write(sent);
        socket.getOutputStream().flush();
      } catch (IOException e) {
        // The reader misses what was not sent.
      }
    });
    writing.start();
    byte[] received = socket.getInputStream().readNBytes(size);
    writing.join();
    if (!Arrays.equals(sent, received)) throw new IOException("the echo differs: " + received.length + " bytes");
  }

  private static Socket connect(Map<String, String> job) throws IOException {
    Socket socket = new Socket();
    if (job.containsKey("local")) socket.bind(new InetSocketAddress(job.get("local"), 0));
    socket.connect(new InetSocketAddress(job.get("host"), Integer.parseInt(job.get("port"))), TIMEOUT);
    socket.setSoTimeout(TIMEOUT);
    socket.setTcpNoDelay(true);
    return socket;
  }

  private static SSLSocket handshake(Socket plain, Map<String, String> job) throws Exception {
    phase = "handshake";
    int port = Integer.parseInt(job.get("port"));
    SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(plain, job.get("host"), port, true);
    String protocols = job.getOrDefault("protocols", "");
    if (!protocols.isEmpty()) socket.setEnabledProtocols(protocols.split(","));
    String ciphers = job.getOrDefault("ciphers", "");
    List<String> suites = new ArrayList<>(Arrays.asList(ciphers.isEmpty() ? socket.getSupportedCipherSuites() : ciphers.split(",")));
    if (!suites.contains(SCSV)) suites.add(SCSV);
    socket.setEnabledCipherSuites(suites.toArray(new String[0]));
    SSLParameters parameters = socket.getSSLParameters();
    if (job.containsKey("serverName")) parameters.setServerNames(List.of(new SNIHostName(job.get("serverName"))));
    if (job.containsKey("maxFragmentLength")) {
      parameters.setMaximumPacketSize(Integer.parseInt(job.get("maxFragmentLength")) + RECORD_OVERHEAD);
    }
    socket.setSSLParameters(parameters);
    socket.startHandshake();
    return socket;
  }

  private static String describe(SSLSocket socket) {
    return "{\"ok\":true,\"protocol\":" + quote(socket.getSession().getProtocol())
        + ",\"cipher\":" + quote(socket.getSession().getCipherSuite()) + "}";
  }

  private static String quote(String text) {
    return text == null ? "null" : "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"").replaceAll("[\\x00-\\x1f]", " ") + "\"";
  }

  private static SSLContext trustingContext() throws Exception {
    X509TrustManager everybody = new X509TrustManager() {
      public void checkClientTrusted(X509Certificate[] chain, String type) {}

      public void checkServerTrusted(X509Certificate[] chain, String type) {}

      public X509Certificate[] getAcceptedIssuers() {
        return new X509Certificate[0];
      }
    };
    SSLContext trusting = SSLContext.getInstance("TLS");
    trusting.init(null, new TrustManager[] {everybody}, null);
    return trusting;
  }

  /** SMTP, one side of it. */
  private static final class Dialogue {
    private final BufferedReader replies;
    private final OutputStream out;

    Dialogue(Socket socket) throws IOException {
      InputStream in = socket.getInputStream();
      replies = new BufferedReader(new InputStreamReader(in, StandardCharsets.ISO_8859_1));
      out = socket.getOutputStream();
    }

    void command(String line, String code) throws IOException {
      out.write((line + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
      out.flush();
      expect(code);
    }

    void expect(String code) throws IOException {
      for (;;) {
        String line = replies.readLine();
        if (line == null) throw new IOException("closed instead of " + code);
        if (!line.startsWith(code)) throw new IOException("not " + code + " but: " + line);
        if (line.length() == 3 || line.charAt(3) == ' ') return;
      }
    }

    /** RFC 5321, 4.5.2: a dot in front of each line that begins with one. */
    void message(byte[] content) throws IOException {
      ByteArrayOutputStream stuffed = new ByteArrayOutputStream(content.length + 4096);
      boolean lineStart = true;
      for (byte b : content) {
        if (lineStart && b == '.') stuffed.write('.');
        stuffed.write(b);
        lineStart = b == '\n';
      }
      stuffed.write(".\r\n".getBytes(StandardCharsets.ISO_8859_1));
      out.write(stuffed.toByteArray());
      out.flush();
    }
  }

  private static final byte[] CLOSE_PLEASE = "close please".getBytes(StandardCharsets.ISO_8859_1);
  private static final String SCSV = "TLS_EMPTY_RENEGOTIATION_INFO_SCSV";
  private static final int TIMEOUT = 30_000;
  /** Bytes of a record besides its plaintext, as JSSE reckons. */
  private static final int RECORD_OVERHEAD = 325;
}
