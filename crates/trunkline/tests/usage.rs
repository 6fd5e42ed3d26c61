//! Messages for wrong arguments and environment variables.

mod support;

use support::TestDir;

#[test]
fn invalid_environment_variable_is_named() {
    let dir = TestDir::new();
    let error = |args: &[&str], variable: &str, value: &str| {
        let output = dir.command(args).env(variable, value).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    for (variable, value) in [
        ("TRUNKLINE_RATE_LIMIT", "abc"),
        ("TRUNKLINE_BODY_LIMIT", "0"),
        ("TRUNKLINE_CALL_TIME_LIMIT", "1h"),
    ] {
        let text = error(&["serve"], variable, value);
        assert!(text.contains(&format!("invalid value '{value}' for '{variable}'")), "{text}");
        assert!(!text.contains("for '--"), "{text}");
    }
    // A flag takes precedence over its variable, so the flag is named.
    for flag in [&["serve", "--rate-limit", "abc"][..], &["serve", "--rate-limit=abc"]] {
        let text = error(flag, "TRUNKLINE_RATE_LIMIT", "5");
        assert!(text.contains("invalid value 'abc' for '--rate-limit <N>'"), "{text}");
    }
}

#[test]
fn listen_address_without_host_or_port_gets_an_example() {
    let dir = TestDir::new();
    for (address, example) in [
        ("8085", "127.0.0.1:8085"),
        (":8085", "0.0.0.0:8085"),
        ("localhost", "localhost:8080"),
        ("127.0.0.1:", "127.0.0.1:8080"),
        ("127.0.0.1:http", "127.0.0.1:8080"),
        ("::1", "[::1]:8080"),
    ] {
        let (line, code) = dir.expect_failure(&["serve", "--listen", address]);
        let expected =
            format!("cannot listen on {address}: expected a host and a port, such as {example}");
        assert_eq!((line, code), (expected, 1));
    }
}
