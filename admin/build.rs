//! Says what to run when the pages' styles and scripts are not built, which the program has inside itself.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=ui/dist");
    println!("cargo::rerun-if-changed=templates");
    if !["app.js", "app.css", "icons.svg"].iter().all(|name| Path::new("ui/dist").join(name).is_file()) {
        println!("cargo::error=the styles and scripts of the pages are not built: run ./scripts/build-ui.sh first");
        std::process::exit(1);
    }
}
