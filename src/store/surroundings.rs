//! What a price is looked at beside: where its product stands, and the drivers of its days. Part of a [`Snapshot`].

use super::error::Result;
use super::inputs::Driver;
use super::snapshot::{NO_TEXT, Snapshot, is_no_text, text};

impl Snapshot {
    /// Lends product_id, category and brand of every product to `each`, by product_id; '' is none.
    pub fn shelves(&self, mut each: impl FnMut(&str, &str, &str)) -> Result<()> {
        let mut statement = self
            .conn()
            .prepare("SELECT product_id, category, brand FROM products ORDER BY product_id")?;
        let mut rows = statement.query([])?;
        while let Some(r) = rows.next()? {
            let row = (|| Ok((text(r, 0)?, text(r, 1)?, text(r, 2)?)))();
            match row {
                Ok((id, category, brand)) => each(
                    id.unwrap_or_default(),
                    category.unwrap_or_default(),
                    brand.unwrap_or_default(),
                ),
                Err(e) if is_no_text(&e) => self.leave_out("products", NO_TEXT),
                Err(e) => return Err(e.into()),
            }
        }
        Ok(())
    }

    /// Lends every driver to `each`, in the order (name, product_id, day), days to come included.
    pub fn drivers(&self, mut each: impl FnMut(Driver<'_>)) -> Result<()> {
        let mut statement = self
            .conn()
            .prepare("SELECT name, product_id, day, value FROM drivers ORDER BY name, product_id, day")?;
        let mut rows = statement.query([])?;
        let mut unreadable = 0;
        while let Some(r) = rows.next()? {
            let row = (|| {
                Ok(Driver {
                    name: text(r, 0)?.unwrap_or_default(),
                    product_id: text(r, 1)?.unwrap_or_default(),
                    day: text(r, 2)?.unwrap_or_default(),
                    value: r.get(3)?,
                })
            })();
            match row {
                Ok(row) => each(row),
                Err(e) if is_no_text(&e) => unreadable += 1,
                Err(e) => return Err(e.into()),
            }
        }
        self.leave_out_of_each_reading("drivers", NO_TEXT, unreadable);
        Ok(())
    }
}
