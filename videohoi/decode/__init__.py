"""Sources of frames: files, folders of images, cameras and generated pictures, all with true time stamps.

``factory.open_source`` opens one input; ``inputs.list_inputs`` expands folders and globs to inputs.
"""
