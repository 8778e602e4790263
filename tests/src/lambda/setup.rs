//! A function with the extension in its layer, before it is started.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::clock::Clock;
use super::sandbox::Sandbox;
use super::share::CpuShare;

/// The file's name in the layer.
const NAME: &str = "hikyaku";

/// How an environment comes to its invocations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Init with the first invocation, frozen between invocations.
    OnDemand,
    /// Init long before the first invocation.
    Provisioned,
    /// Init, a snapshot, and a restore some time later.
    SnapStart,
    /// Never frozen, several invocations at once, no INVOKE events.
    ManagedInstances,
}

impl Mode {
    /// The value of `AWS_LAMBDA_INITIALIZATION_TYPE`.
    pub fn initialization_type(self) -> &'static str {
        match self {
            Self::OnDemand => "on-demand",
            Self::Provisioned => "provisioned-concurrency",
            Self::SnapStart => "snap-start",
            Self::ManagedInstances => "lambda-managed-instances",
        }
    }

    /// Whether the environment stands still while there is nothing to do.
    pub fn freezes(self) -> bool {
        self != Self::ManagedInstances
    }
}

/// What the platform knows of the function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// `AWS_LAMBDA_FUNCTION_NAME`.
    pub name: String,
    /// `AWS_LAMBDA_FUNCTION_VERSION`.
    pub version: String,
    /// The handler.
    pub handler: String,
    /// Twelve digits; given to an extension that asks for it.
    pub account: Option<String>,
    /// `AWS_LAMBDA_FUNCTION_MEMORY_SIZE`, in MB.
    pub memory_mb: u64,
}

impl Default for Function {
    fn default() -> Self {
        Self {
            name: "orders".to_owned(),
            version: "$LATEST".to_owned(),
            handler: "app.handler".to_owned(),
            account: Some("123456789012".to_owned()),
            memory_mb: 128,
        }
    }
}

impl Function {
    /// The name under which it is invoked.
    pub fn arn(&self) -> String {
        let account = self.account.as_deref().unwrap_or("000000000000");
        format!("arn:aws:lambda:eu-west-1:{account}:function:{}", self.name)
    }
}

/// Where the extension's binary is: `HIKYAKU_LAMBDA_BIN`, or beside the test binary's folder in the target folder.
///
/// # Panics
///
/// When there is none.
pub fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("HIKYAKU_LAMBDA_BIN") {
        return path.into();
    }
    let own = std::env::current_exe().ok();
    let profile = own.as_deref().and_then(Path::parent).and_then(Path::parent);
    let binary = profile.map(|folder| folder.join("hikyaku-lambda")).unwrap_or_default();
    assert!(binary.is_file(), "no extension at {binary:?}: run `cargo build -p hikyaku-lambda`");
    binary
}

/// A way to start an environment.
#[derive(Debug)]
pub struct Setup {
    folder: TempDir,
    mode: Mode,
    function: Function,
    variables: Vec<(String, String)>,
    clock: Option<Clock>,
    share: Option<CpuShare>,
}

impl Setup {
    /// Without a configuration: the extension's own default.
    ///
    /// # Panics
    ///
    /// When the layer's folder cannot be made beside the binary, of which it holds a hard link.
    pub fn new(mode: Mode) -> Self {
        let binary = binary();
        let beside = binary.parent().unwrap_or(Path::new("."));
        let folder = tempfile::Builder::new().prefix("layer-").tempdir_in(beside);
        let folder = folder.unwrap_or_else(|error| panic!("no folder in {beside:?}: {error}"));
        let extensions = folder.path().join("extensions");
        let made = std::fs::create_dir(&extensions);
        // The extension registers under its file's name, so a symbolic link would not do.
        let made = made.and_then(|()| std::fs::hard_link(&binary, extensions.join(NAME)));
        made.unwrap_or_else(|error| panic!("{extensions:?}: {error}"));
        let (function, variables) = (Function::default(), Vec::new());
        Self { folder, mode, function, variables, clock: None, share: None }
    }

    /// With a configuration of this text, named by `OPENTELEMETRY_COLLECTOR_CONFIG_URI`.
    #[must_use]
    pub fn config(self, yaml: &str) -> Self {
        let setup = self.file("config.yaml", yaml);
        let path = setup.path("config.yaml");
        setup.variable("OPENTELEMETRY_COLLECTOR_CONFIG_URI", &path)
    }

    /// Puts a file beside the folder of extensions.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    #[must_use]
    pub fn file(self, name: &str, content: &str) -> Self {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap_or_else(|error| panic!("{path}: {error}"));
        self
    }

    /// The path of such a file.
    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_string_lossy().into_owned()
    }

    /// Sets a variable of the function.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Lets the test move the extension's clock.
    #[must_use]
    pub fn with_clock(mut self) -> Self {
        self.clock = Some(Clock::in_folder(self.folder.path()));
        self
    }

    /// Gives the extension the processor of a function of so much memory, where that can be had.
    #[must_use]
    pub fn with_processor_of(mut self, megabytes: u64) -> Self {
        self.share = CpuShare::of_memory(megabytes);
        self
    }

    /// Starts the environment and waits for the end of Init.
    ///
    /// # Panics
    ///
    /// When the extension ends, or does not get there within the patience of [`crate::wait`].
    pub fn start(self) -> Sandbox {
        let mut sandbox = self.prepare();
        sandbox.boot(|| {});
        sandbox
    }

    /// Starts the environment; `work` is what the function does during its own initialisation.
    ///
    /// # Panics
    ///
    /// As [`Setup::start`].
    pub fn start_with(self, work: impl FnOnce()) -> Sandbox {
        let mut sandbox = self.prepare();
        sandbox.boot(work);
        sandbox
    }

    /// Makes the environment without starting anything in it.
    pub fn prepare(self) -> Sandbox {
        Sandbox::new(self)
    }

    pub(super) fn mode(&self) -> Mode {
        self.mode
    }

    pub(super) fn function(&self) -> &Function {
        &self.function
    }

    pub(super) fn clock(&self) -> Option<&Clock> {
        self.clock.as_ref()
    }

    pub(super) fn name(&self) -> &'static str {
        NAME
    }

    /// The extension's process as the platform starts it.
    pub(super) fn command(&self, api_port: u16) -> Command {
        let program = self.folder.path().join("extensions").join(NAME);
        let mut command = match &self.share {
            None => Command::new(&program),
            Some(share) => {
                let mut shell = Command::new("sh");
                shell.args(["-c", &format!("{} && exec \"$0\"", share.admission())]).arg(&program);
                shell
            }
        };
        let function = &self.function;
        command.current_dir("/").env_clear().envs([
            ("PATH", "/usr/local/bin:/usr/bin/:/bin"),
            ("LANG", "en_US.UTF-8"),
            ("TZ", ":UTC"),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_DEFAULT_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "ASIATEST"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_SESSION_TOKEN", "token"),
            ("AWS_LAMBDA_FUNCTION_NAME", function.name.as_str()),
            ("AWS_LAMBDA_FUNCTION_VERSION", function.version.as_str()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory_mb.to_string().as_str()),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", self.mode.initialization_type()),
            ("AWS_LAMBDA_RUNTIME_API", format!("127.0.0.1:{api_port}").as_str()),
        ]);
        if let Some(clock) = &self.clock {
            command.envs(clock.variables());
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}
