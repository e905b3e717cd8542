//! `cargo xtask new-provider NAME`: a crate that builds, loads and passes with one sample clause.

use std::fs;
use std::path::Path;

const FILES: &[(&str, &str)] = &[
    ("plugins/{name}/Cargo.toml", include_str!("../template/Cargo.toml.in")),
    ("plugins/{name}/build.rs", include_str!("../template/build.rs.in")),
    ("plugins/{name}/policy/provider.toml", include_str!("../template/provider.toml.in")),
    ("plugins/{name}/policy/clauses.toml", include_str!("../template/clauses.toml.in")),
    ("plugins/{name}/src/lib.rs", include_str!("../template/lib.rs.in")),
    ("plugins/{name}/src/in_use.rs", include_str!("../template/in_use.rs.in")),
    ("plugins/{name}/tests/conformance.rs", include_str!("../template/conformance.rs.in")),
    ("fixtures/{name}/README.md", include_str!("../template/README.md.in")),
    ("fixtures/{name}/cases/own.json", include_str!("../template/cases.json.in")),
];

/// The type's name: `acme-cloud` becomes `AcmeCloud`.
fn type_name(name: &str) -> String {
    let word = |part: &str| {
        let mut letters = part.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
    };
    name.split('-').map(word).collect()
}

/// Writes the files of a new adapter. Nothing that is there is written over.
pub(crate) fn new_provider(root: &Path, name: &str) -> Result<(), String> {
    let starts_well = name.starts_with(|c: char| c.is_ascii_lowercase());
    if !starts_well
        || !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        || name.ends_with('-')
    {
        return Err(format!(
            "{name:?}: a provider's name is lower-case letters, digits and single hyphens, such as \"acme-cloud\""
        ));
    }
    let fill = |text: &str| {
        text.replace("{name}", name).replace("{crate}", &name.replace('-', "_")).replace("{Type}", &type_name(name))
    };
    if root.join("plugins").join(name).exists() {
        return Err(format!("plugins/{name} is there already"));
    }
    for (path, text) in FILES {
        let path = root.join(fill(path));
        let folder = path.parent().ok_or("a file has no folder")?;
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        fs::write(&path, fill(text)).map_err(|error| format!("{}: {error}", path.display()))?;
        println!("{}", fill(path.strip_prefix(root).unwrap_or(&path).to_string_lossy().as_ref()));
    }
    println!("\nNow: cargo test -p recoup-{name}, then docs/adding-a-provider.md");
    Ok(())
}
