"""Tissues of the simulated bodies, and the iodine they take up in each contrast phase."""

# Tissues of the anatomy, in the order of its fraction maps.
TISSUES = (
    "air", "skin", "adipose", "muscle", "bone", "marrow", "csf", "bowel_wall", "fluid",
    "oral_contrast", "liver", "spleen", "renal_cortex", "renal_medulla", "pancreas", "artery",
    "vein", "portal_vein", "titanium",
)  # fmt: skip

# Tissues with the elemental composition of another row of the attenuation table.
COMPOSITION = {
    "oral_contrast": "fluid",
    "renal_cortex": "kidney",
    "renal_medulla": "kidney",
    "artery": "blood",
    "vein": "blood",
    "portal_vein": "blood",
}

# Iodine in mg/mL by contrast phase (engineering values), set so that HU behind 30 cm of water at
# 120 kV are those of patients. Portal venous: liver 109, spleen 108, cortex 172, aorta 147, portal
# vein 159, muscle 55. Late arterial: liver 72, spleen 119, cortex 208, aorta 302, portal vein 118,
# vena cava 68. Oral contrast is there in every phase.
IODINE: dict[str, dict[str, float]] = {
    "native": {"oral_contrast": 9.0},
    "arterial": {
        "oral_contrast": 9.0,
        "liver": 0.9,
        "spleen": 3.3,
        "renal_cortex": 8.0,
        "renal_medulla": 2.2,
        "pancreas": 2.6,
        "bowel_wall": 2.6,
        "muscle": 0.12,
        "adipose": 0.08,
        "artery": 11.5,
        "vein": 1.2,
        "portal_vein": 3.4,
    },
    "portal_venous": {
        "oral_contrast": 9.0,
        "liver": 2.4,
        "spleen": 2.8,
        "renal_cortex": 6.4,
        "renal_medulla": 4.8,
        "pancreas": 1.9,
        "bowel_wall": 2.4,
        "muscle": 0.32,
        "adipose": 0.2,
        "artery": 4.7,
        "vein": 4.2,
        "portal_vein": 5.2,
    },
}
