# ruff: noqa: E501
"""Line drawings of kinds of instruments, 96 by 72, our own. `instruments/attachments/domain/drawings.py`
decides which is shown for which techniques."""

SHAPES = {
    "electron-microscopy": "M42 7h12v8h-12z M35 22h8v6h-8z M53 22h8v6h-8z M35 36h8v6h-8z M53 36h8v6h-8z M48 15l-3 10l3 8l3 -8z M48 33l-3 6l3 15l3 -15z M34 54h28 M41 54v6 M55 54v6 M28 60h40v6h-40z",
    "light-microscopy": "M45 8l10 6l-13 22l-10 -6z M37 33l-4 6 M53 17c17 7 18 32 3 41 M28 46h26 M41 46v12 M28 64h42 M34 58h24v6h-24z",
    "probe-microscopy": "M12 24h46l-6 6h-40z M52 30l-5 13l-5 -13 M10 56c9 -9 14 0 21 -4s10 -8 16 -8s12 10 20 8s11 3 19 -3 M60 5l-8 19l22 -15 M74 9l3 -5",
    "diffraction": "M44 36a4 4 0 1 0 8 0a4 4 0 1 0 -8 0 M34 36a14 14 0 1 0 28 0a14 14 0 1 0 -28 0 M25 36a23 23 0 1 0 46 0a23 23 0 1 0 -46 0 M16 36a32 32 0 0 1 9 -22 M80 36a32 32 0 0 1 -9 22 M8 64l37 -25",
    "spectroscopy": "M46 12l23 40h-46z M6 44l28 -12 M34 32l24 2 M58 34l30 4 M60 38l28 9 M63 42l24 14 M60 36l29 -6",
    "mass-spectrometry": "M12 46a34 34 0 0 1 34 -34 M24 46a22 22 0 0 1 22 -22 M12 46h12 M46 12v12 M18 64v-18a28 28 0 0 1 28 -28h8 M54 10v16 M46 60h42 M53 60v-8 M61 60v-24 M69 60v-13 M77 60v-5 M83 60v-17",
    "chromatography": "M18 8h12v46h-12z M18 17h12 M18 21h12 M18 32h12 M18 43h12 M24 54v10 M40 60h48 M40 57h5c6 0 5 -20 8 -20s3 20 8 20s3 -42 7 -42s3 42 8 42s2 -10 4 -10s3 10 8 10",
    "resonance": "M21 34a27 27 0 1 0 54 0a27 27 0 1 0 -54 0 M34 34a14 14 0 1 0 28 0a14 14 0 1 0 -28 0 M36 40h24 M14 66h68 M30 54l-4 12 M66 54l4 12",
    "sequencing": "M32 6c0 17 32 17 32 30s-32 13 -32 30 M64 6c0 17 -32 17 -32 30s32 13 32 30 M34 13h28 M41 21h14 M34 31h28 M34 41h28 M41 51h14 M34 60h28",
    "cytometry": "M36 6h24l-8 18h-8z M48 24v4 M45 35a3 3 0 1 0 6 0a3 3 0 1 0 -6 0 M45 46a3 3 0 1 0 6 0a3 3 0 1 0 -6 0 M8 46h32 M56 46h12 M68 40h8a6 6 0 0 1 0 12h-8z M46 56l-12 10 M50 56l12 10",
    "mechanics": "M34 5h28v12h-9v8c-3 5 -3 17 0 22v8h9v12h-28v-12h9v-8c3 -5 3 -17 0 -22v-8h-9z M18 28v-18 M13 15l5 -5l5 5 M18 44v18 M13 57l5 5l5 -5 M73 15a3 3 0 0 1 6 0v27a7 7 0 1 1 -6 0z M76 24v24",
    "fabrication": "M33 61a29 29 0 1 1 30 0z M33 13v46 M43 8v53 M53 8v53 M63 13v46 M25 20h46 M20 31h56 M20 42h56 M26 53h44",
    "tomography": "M18 20l30 -13l30 13l-30 13z M18 33l30 13l30 -13 M18 46l30 13l30 -13 M36 20a12 5 0 1 0 24 0a12 5 0 1 0 -24 0",
    "beamline": "M10 38a22 22 0 1 0 44 0a22 22 0 1 0 -44 0 M16 38a16 16 0 1 0 32 0a16 16 0 1 0 -32 0 M32 16h38 M70 10h16v12h-16z M54 38l14 16 M64 57l9 -8l9 10l-9 8z",
    "computing": "M28 6h40v60h-40z M28 21h40 M28 36h40 M28 51h40 M35 13h2 M35 28h2 M35 43h2 M35 58h2 M46 13h15 M46 28h15 M46 43h15 M46 58h15",
    "other": "M14 14h68v42h-68z M22 22h30v26h-30z M22 38l8 -8l8 7l5 -5l9 8 M61 24h13 M61 32h13 M63 44a4 4 0 1 0 8 0a4 4 0 1 0 -8 0 M24 56v6 M72 56v6",
}
