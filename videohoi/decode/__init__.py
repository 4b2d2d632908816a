"""Sources of frames: files, folders of images, cameras and generated pictures, all with true time stamps.

``factory.open_source`` gives the source of one input, ``inputs.list_inputs`` the inputs that a user's words stand for.
"""
