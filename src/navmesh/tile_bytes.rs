//! A resident Detour tile back to its bytes, links and flags as they are now.

use navmesh_rs::detour::MeshTile;

/// Little-endian writer; every section of a tile is a multiple of four bytes.
#[derive(Default)]
pub(super) struct Bytes(pub(super) Vec<u8>);

impl Bytes {
    pub(super) fn i32(&mut self, values: &[i32]) {
        self.0.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    }

    pub(super) fn u32(&mut self, values: &[u32]) {
        self.0.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    }

    pub(super) fn u16(&mut self, values: &[u16]) {
        self.0.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    }

    pub(super) fn f32(&mut self, values: &[f32]) {
        self.0.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    }

    pub(super) fn u8(&mut self, values: &[u8]) {
        self.0.extend_from_slice(values);
    }
}

/// The tile in Detour's version 7 layout with 32-bit references, as `dtNavMesh` holds it in memory.
pub(super) fn tile_bytes(tile: &MeshTile) -> Vec<u8> {
    let mut out = Bytes::default();
    let h = &tile.header;
    out.i32(&[h.magic, h.version, h.x, h.y, h.layer]);
    out.u32(&[h.user_id]);
    out.i32(&[
        h.poly_count,
        h.vert_count,
        h.max_link_count,
        h.detail_mesh_count,
        h.detail_vert_count,
        h.detail_tri_count,
        h.bv_node_count,
        h.off_mesh_con_count,
        h.off_mesh_base,
    ]);
    out.f32(&[h.walkable_height, h.walkable_radius, h.walkable_climb]);
    out.f32(&h.bmin);
    out.f32(&h.bmax);
    out.f32(&[h.bv_quant_factor]);
    out.f32(&tile.verts);
    for polygon in &tile.polys {
        out.u32(&[polygon.first_link]);
        out.u16(&polygon.verts);
        out.u16(&polygon.neis);
        out.u16(&[polygon.flags]);
        out.u8(&[polygon.vert_count, polygon.area_and_type]);
    }
    for link in &tile.links {
        out.u32(&[link.r#ref, link.next]);
        out.u8(&[link.edge, link.side, link.bmin, link.bmax]);
    }
    for detail in &tile.detail_meshes {
        out.u32(&[detail.vert_base, detail.tri_base]);
        out.u8(&[detail.vert_count, detail.tri_count, 0, 0]);
    }
    out.f32(&tile.detail_verts);
    out.u8(&tile.detail_tris);
    for node in &tile.bv_tree {
        out.u16(&node.bmin);
        out.u16(&node.bmax);
        out.i32(&[node.i]);
    }
    for connection in &tile.off_mesh_cons {
        out.f32(&connection.pos);
        out.f32(&[connection.rad]);
        out.u16(&[connection.poly]);
        out.u8(&[connection.flags, connection.side]);
        out.u32(&[connection.user_id]);
    }
    out.0
}
