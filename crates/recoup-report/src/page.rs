//! The frame of a self-contained page: style inside, no script, nothing fetched.

use crate::text::html as escape;

/// What pages with charts and lists need over the style of the assessments.
pub(crate) const MORE: &str = "\
h2{font-size:1.15rem;margin:1.6rem 0 .5rem}
ul.plain{margin:0;padding-left:1rem}
.why{overflow-wrap:anywhere}
.what{max-width:22rem}
.plain li{margin-bottom:.3rem}
figure{margin:1rem 0;break-inside:avoid}
figure svg{width:100%;height:auto;max-width:72rem;display:block;border:1px solid var(--line);border-radius:8px;background:var(--paper)}
figcaption{color:var(--soft);font-size:.9em;margin-bottom:.35rem}
svg text{fill:var(--ink);font:12px system-ui,sans-serif;font-variant-numeric:tabular-nums}
svg .soft{fill:var(--soft)}
svg .grid{stroke:var(--line);stroke-width:1}
svg .axis{stroke:var(--ink);stroke-width:1}
svg .line{fill:none;stroke:var(--ink);stroke-width:2;stroke-linejoin:round}
svg .mark{fill:var(--paper);stroke:var(--ink);stroke-width:1.5}
svg .lead{stroke:var(--soft);stroke-width:1}
svg .s1{stroke:#0b5cad}svg .s2{stroke:#b35900}svg .s3{stroke:#6b3f56}svg .s4{stroke:#3a6b35}svg .s5{stroke:#555}
@media screen and (prefers-color-scheme:dark){svg .s1{stroke:#8cc8ff}svg .s2{stroke:#ffb366}svg .s3{stroke:#f0b6d0}svg .s4{stroke:#a5d6a0}svg .s5{stroke:#bbb}}
@media screen and (max-width:74rem){.wide{overflow-x:auto}}
@media screen and (max-width:48rem){figure{overflow-x:auto}figure svg{min-width:44rem}}
@media print{svg .line,svg .mark{stroke:#000}}
";

/// A page with a title, a sentence under it, a body and a footer.
pub(crate) fn page(title: &str, sentence: &str, body: &str, footer: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n{css}{MORE}</style>\n</head>\n<body>\n\
         <header><h1>{title}</h1><p class=\"soft\">{sentence}</p></header>\n{body}\
         <footer>{footer}</footer>\n</body>\n</html>\n",
        title = escape(title),
        css = include_str!("page.css"),
        sentence = escape(sentence),
        footer = escape(footer),
    )
}
