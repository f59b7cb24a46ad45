"""Names of the parameters of encoders in the networks of the registry, without torch."""

ENCODERS = (
    r"in_tr|down_tr|vit\.|swinViT|encoder|convInit|down_layers|stem|enc_stages|down_blocks|bottleneck|"
    r"model\.(1\.submodule\.)*(0\.|1\.submodule\.(conv|residual))"
)
ALL_BUT_HEADS = (
    r"(?!out_tr\.conv2\.|model\.2\.(1|conv)\.|out\.|conv_final\.2\.|out_0\.|decoder\.seg_layers\.)"
)
