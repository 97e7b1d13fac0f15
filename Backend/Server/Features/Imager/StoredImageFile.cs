using Bootstrap.Imaging;
using Bootstrap.Imaging.Store;
using Bootstrap.Netboot;
using Bootstrap.Protocol.Images;

namespace Bootstrap.Server.Features.Imager;

/// <summary>A stored image as one raw file; what was free space is zeros.</summary>
/// <param name="manifest">Of an image of the store.</param>
internal sealed class StoredImageFile(ImageStore store, ImageManifest manifest) : BootFile
{
    private readonly StoredImage _image = new(store, manifest);

    public override long Length => manifest.SizeBytes;

    public override int ReadAt(long offset, Span<byte> buffer)
    {
        Span<byte> part = buffer[..(int)Math.Min(buffer.Length, Length - offset)];
        try
        {
            _image.Raw.Read(offset, part);
            return part.Length;
        }
        catch (ImageException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    public override void Dispose()
    {
        _image.Dispose();
        base.Dispose();
    }
}
