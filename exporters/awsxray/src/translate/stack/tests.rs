//! Forms that the golden cases have no program for.

use super::*;

/// Frames as `LABEL PATH:LINE`.
fn frames(frames: &[Frame<'_>]) -> Vec<String> {
    let text = |frame: &Frame<'_>| format!("{} {}:{}", frame.label, frame.path, frame.line);
    frames.iter().map(text).collect()
}

fn of(language: &str, text: &'static str) -> Stack<'static> {
    parse(Language::of(language.as_bytes()), text)
}

#[test]
fn languages_are_known_by_the_names_that_sdks_give_them() {
    let sdks = [
        "cpp", "dotnet", "erlang", "go", "java", "nodejs", "php", "python", "ruby", "rust",
        "swift", "webjs",
    ];
    for name in sdks {
        assert_ne!(Language::of(name.as_bytes()), Language::Other, "{name}");
    }
    assert_eq!(Language::of(b"cobol"), Language::Other);
}

#[test]
fn go_is_read_with_and_without_a_head() {
    let bare = "students.(*Repo).List\n\t/app/repo.go:88\nmain.main()\n\t/app/main.go:41 +0x1d\n";
    let expected = ["students.(*Repo).List /app/repo.go:88", "main.main() /app/main.go:41"];
    assert_eq!(frames(&of("go", bare).frames), expected);
    let headed = "panic: boom\n\ngoroutine 7 [running]:\nmain.f(0x1)\n\tC:/app/f.go:3 +0x1\ncreated by main.main in goroutine 1\n\tC:/app/m.go:9 +0x2\n\ngoroutine 8 [select]:\nmain.g()\n\t/app/g.go:4\n";
    let expected = [
        "main.f(0x1) C:/app/f.go:3",
        "created by main.main in goroutine 1 C:/app/m.go:9",
        "main.g() /app/g.go:4",
    ];
    assert_eq!(frames(&of("go", headed).frames), expected);
}

#[test]
fn ruby_s_newer_quotes_and_messages_of_several_lines_are_understood() {
    let text = "app.rb:3:in 'Disk#write': disk (IOError)\nfull: of (things)\n\tfrom app.rb:9:in 'Cart#pay'\n\tfrom app.rb:12\nlib.rb:1:in 'Integer#/': divided by 0 (ZeroDivisionError)\n\tfrom lib.rb:4:in '<main>'\n";
    let stack = of("ruby", text);
    assert_eq!(frames(&stack.frames), ["Disk#write app.rb:3", "Cart#pay app.rb:9", " app.rb:12"]);
    let [cause] = &stack.causes[..] else { panic!("{stack:?}") };
    assert_eq!((cause.kind, cause.message.as_ref()), ("ZeroDivisionError", "divided by 0"));
    assert_eq!(frames(&cause.frames), ["Integer#/ lib.rb:1", "<main> lib.rb:4"]);
}

#[test]
fn java_s_suppressed_exceptions_are_passed_over() {
    let text = "A: a\n\tat x.A.f(A.java:1)\n\tSuppressed: B: b\n\t\tat x.B.close(B.java:2)\n\tCaused by: D: d\n\t\tat x.D.f(D.java:4)\nCaused by: C: c: d\n\tat mod@1/x.C.f(Native Method)\n\tat x.C.g(Unknown Source)\n";
    let stack = of("java", text);
    assert_eq!(frames(&stack.frames), ["x.A.f A.java:1"]);
    let [cause] = &stack.causes[..] else { panic!("{stack:?}") };
    assert_eq!((cause.kind, cause.message.as_ref()), ("C", "c: d"));
    assert_eq!(frames(&cause.frames), ["x.C.f Native Method:0", "x.C.g Unknown Source:0"]);
}

#[test]
fn java_s_modules_are_no_part_of_a_label_and_hidden_classes_are() {
    let text = "A: a\n\tat app//x.A.f(A.java:1)\n\tat own@2/x.mod@1/x.A.g(A.java:2)\n\tat x.A$$Lambda$14/0x00000008.run(Unknown Source)\n\tat eval(a.php(3) : eval()'d code:7)\n\tat class@anonymous\0/srv/a.php:9$0.pay(a.php:9)\nCaused by: B: b\nc\n\tat x.B.f(B.java:3)\nCaused by: [CIRCULAR REFERENCE: A: a]\n";
    let stack = of("java", text);
    let expected = [
        "x.A.f A.java:1",
        "x.A.g A.java:2",
        "x.A$$Lambda$14/0x00000008.run Unknown Source:0",
        "eval a.php(3) : eval()'d code:7",
        "class@anonymous\0/srv/a.php:9$0.pay a.php:9",
    ];
    assert_eq!(frames(&stack.frames), expected);
    let [cause] = &stack.causes[..] else { panic!("{stack:?}") };
    assert_eq!((cause.kind, cause.message.as_ref()), ("B", "b\nc"));
}

#[test]
fn python_s_groups_are_followed_by_their_exceptions() {
    let text = "Traceback (most recent call last):\n  File \"/a.py\", line 1, in f\nKeyError: k\n\nDuring handling of the above exception, another exception occurred:\n\n  + Exception Group Traceback (most recent call last):\n  |   File \"/a.py\", line 2, in g\n  |     raise ExceptionGroup(\"two\", errors)\n  | ExceptionGroup: two (2 sub-exceptions)\n  +-+---------------- 1 ----------------\n    | Traceback (most recent call last):\n    |   File \"/a.py\", line 3, in h\n    | ValueError: v\n    | w\n    +---------------- 2 ----------------\n    | TypeError: without a trace\n    +------------------------------------\n";
    let stack = of("python", text);
    assert_eq!(frames(&stack.frames), ["g /a.py:2"]);
    let causes: Vec<_> = stack
        .causes
        .iter()
        .map(|cause| (cause.kind, cause.message.as_ref(), frames(&cause.frames)))
        .collect();
    assert_eq!(
        causes,
        [
            ("KeyError", "k", vec!["f /a.py:1".to_owned()]),
            ("ValueError", "v\nw", vec!["h /a.py:3".to_owned()])
        ]
    );
}

#[test]
fn dotnet_s_aggregates_are_followed_by_their_exceptions() {
    let text = "A: two (b\nb2) (c)\n ---> B: b\nb2\n   at x.B() in /b.cs:line 2\n   --- End of inner exception stack trace ---\n   at x.A() in /a.cs:line 1\n ---> (Inner Exception #1) C: c\n   at x.C() in /c.cs:line 3<---\n\n";
    let stack = of("dotnet", text);
    assert_eq!(frames(&stack.frames), ["x.A() /a.cs:1"]);
    let [b, c] = &stack.causes[..] else { panic!("{stack:?}") };
    assert_eq!(
        (b.kind, b.message.as_ref(), frames(&b.frames)),
        ("B", "b\nb2", vec!["x.B() /b.cs:2".to_owned()])
    );
    assert_eq!(
        (c.kind, c.message.as_ref(), frames(&c.frames)),
        ("C", "c", vec!["x.C() /c.cs:3".to_owned()])
    );
}

#[test]
fn dotnet_s_chains_nest() {
    let text = "A: a\n ---> B: b\n ---> C: c\n   at x.C()\n   --- End of inner exception stack trace ---\n   at x.B() in /b.cs:line 2\n   --- End of inner exception stack trace ---\n--- End of stack trace from previous location ---\n   at x.A() in /a.cs:line 1\n";
    let stack = of("dotnet", text);
    assert_eq!(frames(&stack.frames), ["x.A() /a.cs:1"]);
    let [b, c] = &stack.causes[..] else { panic!("{stack:?}") };
    assert_eq!((b.kind, frames(&b.frames)), ("B", vec!["x.B() /b.cs:2".to_owned()]));
    assert_eq!((c.kind, frames(&c.frames)), ("C", vec!["x.C() :0".to_owned()]));
}

#[test]
fn node_s_asynchronous_and_windows_frames_are_understood() {
    let text = "Error: x\n    at async Promise.all (index 0)\n    at async C:\\app\\b.js:3:1\n    at Object.<anonymous> (C:\\app\\a.js:10:5)\n    at new Cart (/a (b)/c.js:7:9)\n    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)\n";
    assert_eq!(
        frames(&of("nodejs", text).frames),
        [
            "async Promise.all index 0:0",
            "async C:\\app\\b.js:3",
            "Object.<anonymous> C:\\app\\a.js:10",
            "new Cart /a (b)/c.js:7",
            "process.processTicksAndRejections node:internal/process/task_queues:95",
        ]
    );
}

#[test]
fn python_s_messages_and_syntax_errors_are_understood() {
    let text = "Traceback (most recent call last):\n  File \"/a.py\", line 1, in f\nKeyError\n\nThe above exception was the direct cause of the following exception:\n\nTraceback (most recent call last):\n  File \"/b.py\", line 2, in g\n    h()\n  File \"<string>\", line 3\n    x x\n      ^\nSyntaxError: invalid syntax\n";
    let stack = of("python", text);
    assert_eq!(frames(&stack.frames), [" <string>:3", "g /b.py:2"]);
    let [cause] = &stack.causes[..] else { panic!("{stack:?}") };
    assert_eq!((cause.kind, cause.message.as_ref()), ("KeyError", ""));
}

#[test]
fn what_is_no_stack_trace_has_no_frames() {
    let languages = [
        "cpp",
        "dotnet",
        "erlang",
        "go",
        "java",
        "javascript",
        "nodejs",
        "php",
        "python",
        "ruby",
        "rust",
        "swift",
    ];
    for language in languages {
        assert_eq!(of(language, "no stack trace"), Stack::default(), "{language}");
        assert_eq!(of(language, ""), Stack::default(), "{language}");
    }
}
