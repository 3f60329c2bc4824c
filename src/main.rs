//! The program; see the library's `cli` module.

fn main() -> std::process::ExitCode {
    plimsoll::cli::main()
}
