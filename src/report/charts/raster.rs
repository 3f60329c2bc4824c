//! SVG to PNG with one embedded font, so that the picture is the same on every machine.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

/// PNG pixels per SVG unit.
const ZOOM: f32 = 2.0;

const FAMILY: &str = "DejaVu Sans";

static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(include_bytes!("../../../assets/DejaVuSans-subset.ttf").to_vec());
    // All generic families are this font: a family that is not found would make its text vanish without an error.
    fonts.set_sans_serif_family(FAMILY);
    fonts.set_serif_family(FAMILY);
    fonts.set_monospace_family(FAMILY);
    Arc::new(fonts)
});

/// Renders an SVG document of `size` units at twice that size.
///
/// # Errors
/// If the text is no SVG or the picture cannot be encoded.
pub(super) fn png(svg: &str, size: (u32, u32)) -> Result<Vec<u8>, String> {
    rendered(&tree(svg)?, size)
}

/// Renders an SVG document at twice the size that it states.
///
/// # Errors
/// As [`png`].
pub(super) fn png_of(svg: &str) -> Result<Vec<u8>, String> {
    let tree = tree(svg)?;
    let size = tree.size().to_int_size();
    rendered(&tree, (size.width(), size.height()))
}

fn tree(svg: &str) -> Result<Tree, String> {
    let options = Options { font_family: FAMILY.into(), fontdb: FONTS.clone(), ..Options::default() };
    Tree::from_str(svg, &options).map_err(|e| e.to_string())
}

fn rendered(tree: &Tree, size: (u32, u32)) -> Result<Vec<u8>, String> {
    let pixels = |units: u32| (units as f32 * ZOOM) as u32;
    let mut pixmap = Pixmap::new(pixels(size.0), pixels(size.1)).ok_or("a picture of this size cannot be made")?;
    resvg::render(tree, Transform::from_scale(ZOOM, ZOOM), &mut pixmap.as_mut());
    pixmap.encode_png().map_err(|e| e.to_string())
}
