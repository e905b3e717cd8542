//! Throw-away.
#[test]
fn laws() {
    recoup_conformance::Kit::<recoup_alibaba::Alibaba>::open("/tmp/fz/plugins/x", "alibaba").laws();
}
