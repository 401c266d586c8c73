"""The inner loops of Winograd's convolution, compiled by numba; `lipwise.models.winograd` calls them.

Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016, with tiles of 6 x 6 outputs: polynomials are
multiplied by their values at the points 0, 1, -1, 2, -2, 1/2, -1/2 and infinity. A tile of 8 x 8 inputs becomes 64
values, each is multiplied by the kernels' value at the same point, a plain product of matrices, and the sums are read
back as 6 x 6 outputs. All of it happens block by block of tiles, so that what is in work stays in the cache.
"""

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

SIDE, INPUTS = 6, 8  # px of a tile's outputs and inputs
POINTS = INPUTS * INPUTS
GROUP = 32  # channels that are transformed together
TILES = 66  # of a block, a multiple of ROWS; its sums take half a megabyte for each GROUP
ROWS, VECTORS, LANES = 6, 2, 8  # of the product that is kept in registers: 6 rows of 2 vectors of 8 floats
COLUMNS = VECTORS * LANES


@intrinsic
def _product(typing_context, left, left_at, right, right_at, out, out_at, width, add):
    """out[:6, :16] = left[:6] @ right[:, :16], in registers, which no plain loop is compiled to; added to it if asked.

    Args:
        left: flat; from left_at, rows of GROUP floats.
        right: flat; from right_at, GROUP rows of `width` floats.
        out: flat; from out_at, rows of `width` floats.
    """
    return types.void(left, left_at, right, right_at, out, out_at, width, add), _product_code


def _product_code(context, builder, signature, arguments):
    """The instructions of `_product`."""
    starts = {}
    for index in (0, 2, 4):
        array = context.make_array(signature.args[index])(context, builder, arguments[index])
        starts[index] = builder.gep(array.data, [arguments[index + 1]])
    lefts, right, out = starts.values()
    width, add = arguments[6:]
    vector = ir.VectorType(ir.FloatType(), LANES)
    nothing, zeros = ir.Constant(vector, ir.Undefined), ir.Constant(vector, [0.0] * LANES)
    first = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)

    def number(value: int) -> ir.Constant:
        return ir.Constant(width.type, value)

    def floats(start: ir.Value, row: ir.Value, at: int) -> ir.Value:
        place = builder.gep(start, [builder.add(builder.mul(row, width), number(LANES * at))])
        return builder.bitcast(place, vector.as_pointer())

    def repeated(row: int, channel: ir.Value) -> ir.Value:
        one = builder.load(builder.gep(lefts, [builder.add(number(GROUP * row), channel)]))
        one = builder.insert_element(nothing, one, ir.Constant(ir.IntType(32), 0))
        return builder.shuffle_vector(one, nothing, first)

    sums = {(row, at): cgutils.alloca_once_value(builder, zeros) for row in range(ROWS) for at in range(VECTORS)}
    with cgutils.for_range(builder, number(GROUP)) as channel:
        rights = [builder.load(floats(right, channel.index, at), align=4) for at in range(VECTORS)]
        for row in range(ROWS):
            left = repeated(row, channel.index)
            for at in range(VECTORS):
                total = sums[row, at]
                share = builder.fmul(left, rights[at], flags=("contract",))
                builder.store(builder.fadd(builder.load(total), share, flags=("contract",)), total)
    with builder.if_then(add):
        for (row, at), total in sums.items():
            before = builder.load(floats(out, number(row), at), align=4)
            builder.store(builder.fadd(builder.load(total), before), total)
    for (row, at), total in sums.items():
        builder.store(builder.load(total), floats(out, number(row), at), align=4)
    return context.get_dummy_value()


@njit(inline="always")
def _to_points(d0, d1, d2, d3, d4, d5, d6, d7, p0, p1, p2, p3, p4, p5, p6, p7):
    """Eight inputs in a row (GROUP floats each) to their polynomial's values at the eight points."""
    for c in range(GROUP):
        p0[c] = d0[c] - d6[c] + np.float32(5.25) * (d4[c] - d2[c])
        p7[c] = d7[c] - d1[c] + np.float32(5.25) * (d3[c] - d5[c])
        even, odd = d2[c] + d6[c] - np.float32(4.25) * d4[c], d1[c] + d5[c] - np.float32(4.25) * d3[c]
        p1[c], p2[c] = even + odd, even - odd
        even = d6[c] + np.float32(0.25) * d2[c] - np.float32(1.25) * d4[c]
        odd = np.float32(0.5) * d1[c] - np.float32(2.5) * d3[c] + np.float32(2) * d5[c]
        p3[c], p4[c] = even + odd, even - odd
        even = d6[c] + np.float32(4) * d2[c] - np.float32(5) * d4[c]
        odd = np.float32(2) * d1[c] - np.float32(2.5) * d3[c] + np.float32(0.5) * d5[c]
        p5[c], p6[c] = even + odd, even - odd


@njit(inline="always")
def _from_points(p0, p1, p2, p3, p4, p5, p6, p7, o0, o1, o2, o3, o4, o5):
    """Sums at the eight points (GROUP floats each) to six outputs in a row."""
    for c in range(GROUP):
        even1, odd1 = p1[c] + p2[c], p1[c] - p2[c]
        even2, odd2 = p3[c] + p4[c], p3[c] - p4[c]
        even3, odd3 = p5[c] + p6[c], p5[c] - p6[c]
        o0[c] = p0[c] + even1 + even2 + even3
        o1[c] = odd1 + np.float32(2) * odd2 + np.float32(0.5) * odd3
        o2[c] = even1 + np.float32(4) * even2 + np.float32(0.25) * even3
        o3[c] = odd1 + np.float32(8) * odd2 + np.float32(0.125) * odd3
        o4[c] = even1 + np.float32(16) * even2 + np.float32(0.0625) * even3
        o5[c] = odd1 + np.float32(32) * odd2 + np.float32(0.03125) * odd3 + p7[c]


@njit(inline="always")
def _cut(picture, top, left, channel, patch):
    """Copy 8 x 8 pixels of GROUP channels, with zeros beyond the picture's border."""
    patch[:] = 0
    for row in range(max(-top, 0), min(INPUTS, picture.shape[0] - top)):
        for column in range(max(-left, 0), min(INPUTS, picture.shape[1] - left)):
            for c in range(GROUP):
                patch[row, column, c] = picture[top + row, left + column, channel + c]


@njit(inline="always")
def _transform(picture, top, left, channel, rows, block, group, tile):
    """8 x 8 pixels of GROUP channels to their 64 values: into block (POINTS, groups, TILES, GROUP)."""
    end = channel + GROUP
    for r in range(INPUTS):
        y, x = top + r, left
        _to_points(
            picture[y, x, channel:end], picture[y, x + 1, channel:end], picture[y, x + 2, channel:end],
            picture[y, x + 3, channel:end], picture[y, x + 4, channel:end], picture[y, x + 5, channel:end],
            picture[y, x + 6, channel:end], picture[y, x + 7, channel:end],
            rows[r, 0], rows[r, 1], rows[r, 2], rows[r, 3], rows[r, 4], rows[r, 5], rows[r, 6], rows[r, 7],
        )  # fmt: skip
    for r in range(INPUTS):
        _to_points(
            rows[0, r], rows[1, r], rows[2, r], rows[3, r], rows[4, r], rows[5, r], rows[6, r], rows[7, r],
            block[r, group, tile], block[r + 8, group, tile], block[r + 16, group, tile], block[r + 24, group, tile],
            block[r + 32, group, tile], block[r + 40, group, tile], block[r + 48, group, tile],
            block[r + 56, group, tile],
        )  # fmt: skip


@njit(inline="always")
def _read_back(sums, tile, channel, rows, patch):
    """Sums (POINTS, TILES, width) of a tile at GROUP channels to its outputs, 6 x 6 in a corner of the patch."""
    end = channel + GROUP
    for r in range(INPUTS):
        _from_points(
            sums[r, tile, channel:end], sums[r + 8, tile, channel:end], sums[r + 16, tile, channel:end],
            sums[r + 24, tile, channel:end], sums[r + 32, tile, channel:end], sums[r + 40, tile, channel:end],
            sums[r + 48, tile, channel:end], sums[r + 56, tile, channel:end],
            rows[0, r], rows[1, r], rows[2, r], rows[3, r], rows[4, r], rows[5, r],
        )  # fmt: skip
    for r in range(SIDE):
        _from_points(
            rows[r, 0], rows[r, 1], rows[r, 2], rows[r, 3], rows[r, 4], rows[r, 5], rows[r, 6], rows[r, 7],
            patch[r, 0], patch[r, 1], patch[r, 2], patch[r, 3], patch[r, 4], patch[r, 5],
        )  # fmt: skip


@njit(inline="always")
def _put(patch, bias, slope, out, top, left, channel):
    """A tile's outputs with their bias, through a leaky ReLU, to where they belong; none beyond the picture."""
    add = bias[channel : channel + GROUP]
    for row in range(min(SIDE, out.shape[0] - top)):
        for column in range(min(SIDE, out.shape[1] - left)):
            one, into = patch[row, column], out[top + row, left + column, channel : channel + GROUP]
            for c in range(GROUP):
                value = one[c] + add[c]
                into[c] = value if value > 0 else slope * value


@njit(inline="always")
def _transform_block(picture, start, count, block, group, rows, patch):
    """So many tiles of a picture (H, W, channels) from tile `start` on, into block from that group on."""
    height, width, channels = picture.shape
    across = -(-width // SIDE)
    for tile in range(count):
        top, left = SIDE * ((start + tile) // across) - 1, SIDE * ((start + tile) % across) - 1
        whole = top >= 0 and left >= 0 and top + INPUTS <= height and left + INPUTS <= width
        for piece in range(channels // GROUP):
            if whole:
                _transform(picture, top, left, GROUP * piece, rows, block, group + piece, tile)
            else:
                _cut(picture, top, left, GROUP * piece, patch)
                _transform(patch, 0, 0, 0, rows, block, group + piece, tile)


@njit(inline="always")
def _multiply_block(block, count, kernels, sums):
    """So many tiles of block (POINTS, groups, TILES, GROUP) by kernels (POINTS, in, made), into sums."""
    depth, made = kernels.shape[1:]
    flat_block, flat_kernels, flat_sums = block.ravel(), kernels.ravel(), sums.ravel()
    for point in range(POINTS):
        for piece in range(depth // GROUP):
            lefts = (point * block.shape[1] + piece) * TILES * GROUP
            rights = (point * depth + piece * GROUP) * made
            for tile in range(0, count, ROWS):
                left, at = lefts + tile * GROUP, (point * TILES + tile) * made
                for column in range(0, made, COLUMNS):
                    _product(flat_block, left, flat_kernels, rights + column, flat_sums, at + column, made, piece > 0)  # pyright: ignore[reportCallIssue]  # numba passes the first


@njit(inline="always")
def _read_back_block(sums, start, count, bias, slope, out, rows, patch):
    """Sums (POINTS, TILES, made) of so many tiles to the pixels of out (H, W, made), from tile `start` on."""
    across = -(-out.shape[1] // SIDE)
    for tile in range(count):
        top, left = SIDE * ((start + tile) // across), SIDE * ((start + tile) % across)
        for channel in range(0, out.shape[2], GROUP):
            _read_back(sums, tile, channel, rows, patch)
            _put(patch, bias, slope, out, top, left, channel)


@njit(nogil=True, fastmath={"contract", "reassoc", "nsz", "arcp"}, error_model="numpy")
def convolve(picture, features, group, kernels, bias, slope, out, first, end):
    """A 3 x 3 convolution, with a border of one zero pixel, and a leaky ReLU; blocks `first` to `end` of the tiles.

    Args:
        picture: (H, W, new) float32, contiguous as everything here: the channels that were not transformed before.
        features: (blocks, POINTS, groups, TILES, GROUP) float32: where transformed channels are kept; those of the
            groups before `group` are there. With fewer blocks than the picture has, they are written over.
        group: where the picture's channels go.
        kernels: (POINTS, GROUP * groups that count, made) float32.
        bias: (made,) float32.
        slope: of the ReLU below zero; 1 for none.
        out: (H, W, made) float32.
    """
    tiles = -(-picture.shape[0] // SIDE) * -(-picture.shape[1] // SIDE)
    sums = np.empty((POINTS, TILES, len(bias)), np.float32)
    patch, rows = np.empty((INPUTS, INPUTS, GROUP), np.float32), np.empty((INPUTS, INPUTS, GROUP), np.float32)
    for index in range(first, end):
        block, start = features[index % len(features)], index * TILES
        count = min(TILES, tiles - start)
        _transform_block(picture, start, count, block, group, rows, patch)
        _multiply_block(block, count, kernels, sums)
        _read_back_block(sums, start, count, bias, slope, out, rows, patch)
