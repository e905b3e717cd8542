//! The boundary.

/// Exports a provider.
#[macro_export]
macro_rules! export_provider {
    ($provider:ty) => {};
}
