//! The entries of plug-in lists.

/// An entry in the list of one kind of plug-in. The lists are used by the scenario reader, the suggestions for misspelt
/// names, `plimsoll list`, the JSON Schema and the README's table.
#[derive(Debug, Clone, Copy)]
pub struct Plugin<B: 'static> {
    /// The name in a scenario.
    pub name: &'static str,
    /// One line for `plimsoll list`.
    pub summary: &'static str,
    /// Source of the algorithm or format (paper, upstream project, specification).
    pub source: &'static str,
    /// Builds the plug-in; the parameters of the builder depend on the kind.
    pub build: B,
}
