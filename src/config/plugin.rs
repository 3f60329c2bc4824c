//! What every plug-in list is made of.

/// The entry of one plug-in in the list of its kind. The lists feed the scenario reader, the suggestions for misspelt
/// names, `plimsoll list`, the JSON Schema and the README's table.
#[derive(Debug, Clone, Copy)]
pub struct Plugin<B: 'static> {
    /// The name in a scenario.
    pub name: &'static str,
    /// One line for `plimsoll list`.
    pub summary: &'static str,
    /// Where the algorithm or format comes from (paper, upstream project, specification).
    pub source: &'static str,
    /// Builds the plug-in; what the builder takes depends on the kind.
    pub build: B,
}
