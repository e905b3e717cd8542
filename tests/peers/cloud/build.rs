//! Turns `policy/*.toml` into constants.

fn main() -> std::process::ExitCode {
    recoup_policy::build()
}
