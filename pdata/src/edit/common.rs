//! Resources and scopes.

use super::message::{Editable, MessageMut, setters};
use crate::view;
use crate::wire::put_len;

/// Marks [`ResourceMut`](super::ResourceMut).
#[derive(Debug)]
pub enum Resource {}

/// Marks [`ScopeMut`](super::ScopeMut).
#[derive(Debug)]
pub enum Scope {}

/// Marks [`EntityRefMut`].
#[derive(Debug)]
pub enum EntityRef {}

/// A reference to an entity under edit.
pub type EntityRefMut<'s> = MessageMut<'s, EntityRef>;

impl Editable for Resource {
    type View<'v> = view::Resource<'v>;
}

impl Editable for Scope {
    type View<'v> = view::Scope<'v>;
}

impl Editable for EntityRef {
    type View<'v> = view::EntityRef<'v>;
}

setters! { Resource {
    /// The attributes.
    attributes: attributes = 1;
    /// Sets how many attributes were dropped.
    set_dropped_attributes_count: varint32 = 2;
    /// The entities that the resource describes.
    entity_refs: EntityRef = 3;
}}

setters! { Scope {
    /// Sets the name.
    set_name: text = 1;
    /// Sets the version.
    set_version: text = 2;
    /// The attributes.
    attributes: attributes = 3;
    /// Sets how many attributes were dropped.
    set_dropped_attributes_count: varint32 = 4;
}}

setters! { EntityRef {
    /// Sets the schema of the entity type.
    set_schema_url: text = 1;
    /// Sets the entity's type.
    set_entity_type: text = 2;
}}

impl EntityRefMut<'_> {
    /// Sets the keys of the attributes that identify the entity.
    pub fn set_id_keys(&mut self, keys: &[&str]) {
        self.set_keys(3, keys);
    }

    /// Sets the keys of the attributes that describe the entity.
    pub fn set_description_keys(&mut self, keys: &[&str]) {
        self.set_keys(4, keys);
    }

    fn set_keys(&mut self, number: u32, keys: &[&str]) {
        self.body.put(1 << number, |out| {
            keys.iter().for_each(|key| put_len(out, number, key.as_bytes()));
        });
    }
}
