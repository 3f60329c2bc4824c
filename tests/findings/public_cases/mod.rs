//! The page `public-cases` of the findings.
